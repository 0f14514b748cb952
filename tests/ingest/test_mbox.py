from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posted_mails import diff, mail, series

from ingest.errors import FormatError
from ingest.mbox import mails


def read(text):
    return mails(text.encode() if isinstance(text, str) else text, "x.mbox")


def test_mails_are_split_and_know_their_line():
    found = read(series(patches=2))

    assert [one.subject for one in found] == [
        "[PATCH 0/2] mm: walk less",
        "[PATCH 1/2] mm: step 1",
        "[PATCH 2/2] mm: step 2",
    ]
    lines = series(patches=2).splitlines()
    assert all(lines[one.line - 1].startswith("From ") for one in found)
    assert found[2].references == ("cover-v1@x",)
    assert found[2].commit == f"1{2:039x}"


def test_a_sentence_that_begins_with_from_is_no_separator():
    found = read(mail("[PATCH] mm: x", "From the walk we learn:\nFrom: nothing\n\n>From here on\n" + diff()))

    assert len(found) == 1
    assert "\nFrom here on" in found[0].body


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?UTF-8?q?[PATCH]_KVM:_M=C3=BCller?=", "[PATCH] KVM: Müller"),
        ("[PATCH] =?utf-8?B?S1ZNOiBNw7xsbGVy?=", "[PATCH] KVM: Müller"),
        ("=?iso-8859-1?Q?[PATCH]_KVM:_M=FCller?=", "[PATCH] KVM: Müller"),
        ("[PATCH] KVM: a long\n subject over\n\ttwo folds", "[PATCH] KVM: a long subject over two folds"),
        ("[PATCH] KVM: raw Müller", "[PATCH] KVM: raw Müller"),
        ("[PATCH] =?utf-8?q?broken=ZZ?= =?nope?x?y?=", None),
    ],
)
def test_subjects_are_decoded(written, meant):
    found = read(mail(written, diff()))[0]

    assert found.subject == meant or meant is None
    assert "\n" not in found.subject


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_transfer_encodings_give_the_same_diff(encoding, charset):
    import base64
    import quopri

    text = f"Tëst.\n---\n{diff(new='return fast(gfn); /* é = e */')}"
    raw = text.encode(charset)
    coded = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes, "8bit": bytes}[encoding](raw)
    headers = f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}"
    whole = mail("[PATCH] x", "@@BODY@@", headers=headers).encode().replace(b"@@BODY@@\n-- \n2.39.5\n\n", coded)

    assert read(whole)[0].body.strip() == text.strip()


def test_a_patch_in_a_part_of_its_own_is_found():
    parts = (
        "--cut\nContent-Type: text/plain\n\nHello.\n"
        f"--cut\nContent-Type: text/x-patch; charset=utf-8\n\n{diff()}\n"
        "--cut\nContent-Type: text/html\n\n<b>no</b>\n--cut--\n"
    )
    found = read(mail("[PATCH] x", parts, headers='Content-Type: multipart/mixed; boundary="cut"'))[0]

    assert diff() in found.body
    assert "<b>" not in found.body


@pytest.mark.parametrize("text", ["", "hello\n", "\n\n# notes\n", "From nowhere\n"])
def test_what_is_no_mail_is_refused_with_the_file(text):
    with pytest.raises(FormatError, match=r"x\.mbox:1: no mail"):
        read(text)


def test_html_alone_is_refused_with_its_line():
    text = series(patches=1) + mail("[PATCH] x", "<pre>diff</pre>", headers="Content-Type: text/html")

    with pytest.raises(FormatError, match=r"x\.mbox:\d+: a mail in HTML"):
        read(text)


@given(st.integers(0, 4000), st.integers(0, 255), st.integers(0, 4000))
def test_any_prefix_and_any_changed_byte_gives_mails_or_a_format_error(length, byte, place):
    content = bytearray(series(patches=3).encode()[:length])
    if content:
        content[place % len(content)] = byte

    with suppress(FormatError):
        assert mails(bytes(content), "x")
