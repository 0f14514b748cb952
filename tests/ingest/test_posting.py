"""Posted series as people have them: whatever happens to a mailbox, it gives versions or one clear error."""

import base64
import quopri
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from posted_mails import diff, mail, series

from db.errors import UserError
from ingest.posting import Said, posted

_PLAIN = series(2, patches=3, tag="RFC PATCH bpf-next").encode()
_CODED = (
    mail("[PATCH v12 1/2] KVM: =?iso-8859-1?q?M=FCller?=", "@@1@@", headers="Content-Transfer-Encoding: base64")
    + mail(
        "[PATCH v12 2/2] two",
        "@@2@@",
        headers="MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable",
    )
).encode()
_CODED = _CODED.replace(b"@@1@@\n-- \n2.39.5\n\n", base64.encodebytes(f"Größe.\n---\n{diff('a.c')}".encode()))
_CODED = _CODED.replace(
    b"@@2@@\n-- \n2.39.5\n\n", quopri.encodestring(f"Größe.\n---\n{diff('b.c')}".encode("iso-8859-1"))
)
_INSERTS = (
    b"\0", b"\xff\xfe", b"=?utf-8?b?//8=?=", b"Content-Type: text/plain; charset=nonsense\n", b"From \n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Type: multipart/mixed; boundary=x\n", b"Subject: [PATCH 2/9] x\n",
    b"From 1234 Mon Sep 17 00:00:00 2001\n", b"\r\n", b"@@ -1,9 +1,9 @@\n", b"diff --git a/x b/x\n", b"-- \n", b"\n\n",
)  # fmt: skip


@st.composite
def mutated(draw):
    """A mailbox with lines lost, doubled and swapped, foreign bytes put in, and its end cut off."""
    lines = draw(st.sampled_from([_PLAIN, _CODED])).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 6))):
        i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        what = draw(st.sampled_from(["drop", "double", "swap", "insert", "cut"]))
        if what == "drop" and len(lines) > 2:
            del lines[i]
        elif what == "double":
            lines.insert(j, lines[i])
        elif what == "swap":
            lines[i], lines[j] = lines[j], lines[i]
        elif what == "insert":
            lines.insert(i, draw(st.sampled_from(_INSERTS)))
        elif what == "cut" and i > 1:
            del lines[i:]
    return b"".join(lines)


@pytest.fixture(scope="module")
def box():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "x.mbox"


@settings(max_examples=80)
@given(content=mutated())
def test_any_mutation_gives_versions_or_one_clear_error(box, content):
    box.write_bytes(content)
    said, found = "", ()
    try:
        found = posted([box], Said())
    except UserError as error:
        said = str(error)

    assert found or said.startswith((str(box), "git"))
    assert "\n" not in said
    for version in found:
        assert [patch.k for patch in version.patches] == list(range(1, len(version.patches) + 1))
        assert all("\n" not in patch.subject for patch in version.patches)


def test_encoded_mails_give_the_patches_that_plain_ones_give(box):
    box.write_bytes(_CODED)

    (found,) = posted([box], Said())

    assert (found.version, found.patches[0].subject) == (12, "KVM: Müller")
    assert [patch.diff for patch in found.patches] == [diff("a.c"), diff("b.c")]
    assert all(len(patch.patch_id) == 40 for patch in found.patches)


def test_missing_patches_keep_their_place_and_are_named(box):
    whole = series(2, patches=12).encode()
    first = whole.index(b"Subject: [PATCH v2 3/12]")
    start, stop = whole.rindex(b"From ", 0, whole.rindex(b"\nFrom: ", 0, first)), whole.index(b"From 2", first)
    box.write_bytes(whole[:start] + whole[stop:])

    (found,) = posted([box], Said())

    assert found.warnings == ("patch 3 of 12 is missing",)
    assert [bool(patch.patch_id) for patch in found.patches] == [k != 3 for k in range(1, 13)]


@pytest.mark.parametrize("tag", ["PATCH bpf-next", "RFC PATCH", "PATCH kvm-unit-tests", "PATCH net-next RFC"])
def test_prefixes_of_other_trees_are_read_and_kept(box, tag):
    box.write_text(series(14, patches=2, tag=tag))

    (found,) = posted([box], Said())

    assert (found.version, len(found.patches)) == (14, 2)
    assert found.prefix == tag.replace("PATCH", "").replace("  ", " ").strip()
