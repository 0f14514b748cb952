"""Which era of the test program printed an output, where the output shows it. Text in, a word out.

A difference between two eras may be the program's: selftests are built from the tree that is measured.
"""

import re

_SEED = re.compile(r"^(?:#\s)?\s*Random seed: (?P<hex>0x)?[0-9a-f]+\s*$", re.MULTILINE)
_OFFSET = re.compile(r"^(?:#\s)?\s*guest physical test memory offset: 0x", re.MULTILINE)
_SUITE = "kvm-selftests/"


def era(benchmark: str, text: str) -> str:
    """The era in words, or empty where nothing shows it: for programs other than the KVM selftests, and for no text.

    Selftests of 6.1 print no random seed, those of 6.2 a decimal one, those of 6.12 `0x...` before anything else;
    `offset:` in the line of the guest's memory went away in 5.18. The words name what was seen, not a release.
    """
    if not benchmark.startswith(_SUITE) or not text.strip():
        return ""
    if seed := _SEED.search(text):
        return "hex random seed, as in 6.12" if seed["hex"] else "decimal random seed, as in 6.2"
    return "memory offset, before 5.18" if _OFFSET.search(text) else "no random seed, as in 6.1"
