from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posted_mails import SERIES_ID, diff, mail, series

from ingest.errors import FormatError
from ingest.mbox import mails
from ingest.patches import diff_of, tag, versions


def read(text):
    return versions(mails(text.encode(), "x.mbox"))


def test_a_series_as_b4_posts_it():
    (found,) = read(series(3, patches=2, answers="cover-v2@x"))

    assert (found.version, found.subject, found.message_id) == (3, "mm: walk less", "cover-v3@x")
    assert (found.change_id, found.base_commit) == (SERIES_ID, "b" * 40)
    assert found.earlier == ("cover-v2@x",)
    assert [(p.k, p.subject, p.message_id) for p in found.patches] == [
        (1, "mm: step 1", "v3-1@x"),
        (2, "mm: step 2", "v3-2@x"),
    ]
    assert found.patches[0].diff == diff("walk1.c")
    assert found.patches[0].commit == f"3{1:039x}"
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("subject", "version", "k", "total", "prefix"),
    [
        ("[PATCH] x", 1, None, None, ""),
        ("[PATCH 0/6] x", 1, 0, 6, ""),
        ("[PATCH v12 03/12] x", 12, 3, 12, ""),
        ("[PATCHv2 1/3] x", 2, 1, 3, ""),
        ("[Patch V3 1/3] x", 3, 1, 3, ""),
        ("[RFC PATCH v2 2/2] x", 2, 2, 2, "RFC"),
        ("[PATCH RFC 1/4] x", 1, 1, 4, "RFC"),
        ("[RFC v4 PATCH 1/4] x", 4, 1, 4, "RFC"),
        ("[RESEND PATCH v5 00/11] x", 5, 0, 11, "RESEND"),
        ("[PATCH RESEND v10 03/10] x", 10, 3, 10, "RESEND"),
        ("[PATCH kvm-unit-tests v3 02/12] x", 3, 2, 12, "kvm-unit-tests"),
        ("[kvm-unit-tests PATCH v3 02/12] x", 3, 2, 12, "kvm-unit-tests"),
        ("[kvmarm] [PATCH v3 02/12] x", 3, 2, 12, "kvmarm"),
        ("[PATCH 6.1 1/2] x", 1, 1, 2, "6.1"),
        ("[PATCH -next, v2 1/2] x", 2, 1, 2, "-next"),
    ],
)
def test_tags_of_subjects(subject, version, k, total, prefix):
    found = tag(mails(mail(subject, diff()).encode(), "x")[0])

    assert (found.version, found.k, found.total, found.prefix, found.subject) == (version, k, total, prefix, "x")


@pytest.mark.parametrize("subject", ["Re: [PATCH v3 1/2] x", "RE: [PATCH] x", "Fwd: x", "hello", "[ANNOUNCE] x"])
def test_replies_and_other_mails_post_nothing(subject):
    assert tag(mails(mail(subject, "text").encode(), "x")[0]) is None
    assert tag(mails(mail(f"Re: {subject}", diff()).encode(), "x")[0]) is None


def test_a_thread_with_two_versions_and_replies_gives_both():
    text = series(2) + mail("Re: [PATCH v2 1/2] mm: step 1", "Looks good.") + series(1, patches=3)

    assert [(one.version, len(one.patches)) for one in read(text)] == [(1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (mail("[PATCH v1.5 1/2] x", diff()), "x.mbox:1: version v1.5 is no whole number"),
        (mail("[PATCH 1.5/2] x", diff()), "x.mbox:1: patch 1.5/2 is no whole number"),
        (mail("[PATCH 3/2] x", diff()), "x.mbox:1: patch 3 of 2"),
        (mail("[PATCH 0/0] x"), "x.mbox:1: a series of 0 patches"),
        (mail("[PATCH 1/2] x", diff()) + mail("[PATCH 1/2] y", diff("other.c")), "x.mbox:18: v1 has a second 1/2"),
        (mail("[PATCH 1/2] x", diff()) + mail("[PATCH 2/3] y", diff()), "x.mbox:18: v1 has 3 patches here and 2 at"),
        (mail("hello"), "x.mbox:1: no patch here"),
    ],
)
def test_contradictions_are_refused_with_file_and_line(text, says):
    with pytest.raises(FormatError) as caught:
        read(text)

    assert str(caught.value).startswith(says)
    assert caught.value.hint


def test_missing_patches_are_named_and_keep_their_number():
    text = series(patches=4).split("From ")
    (found,) = read("From ".join([*text[:3], *text[5:7], *text[9:]]))  # each mail has two "From "

    assert [patch.k for patch in found.patches] == [1, 2, 3, 4]
    assert [bool(patch.diff) for patch in found.patches].count(False) == len(
        found.warnings[0].split(" of ")[0].split(",")
    )
    assert "missing" in found.warnings[0]


def test_a_title_that_nobody_wrote_is_none():
    posted = [
        mail("[PATCH 0/2] *** SUBJECT HERE ***", "*** BLURB HERE ***"),
        *(mail(f"[PATCH {k}/2] step {k}", diff(f"{k}.c")) for k in (1, 2)),
    ]

    (found,) = versions(mails("".join(posted).encode(), "x"))

    assert found.subject == "step 1"
    assert found.warnings == ("no title: the first patch names the series",)


def test_a_cover_letter_alone_tells_the_subjects_of_one_author():
    shortlog = "A Developer (2):\n  mm: step 1\n  mm: step 2 with a subject that\n    goes on\n\n walk.c | 2 +-\n"
    (found,) = read(mail("[PATCH v2 0/2] mm: walk", shortlog))

    assert [patch.subject for patch in found.patches] == ["mm: step 1", "mm: step 2 with a subject that goes on"]
    assert "only the cover letter" in found.warnings[0]


def test_a_cover_letter_of_two_authors_tells_no_order():
    shortlog = "A (1):\n  mm: step 1\n\nB (1):\n  mm: step 2\n"
    (found,) = read(mail("[PATCH v2 0/2] mm: walk", shortlog))

    assert [patch.subject for patch in found.patches] == ["", ""]


def test_patches_without_numbers_keep_the_order_of_the_file():
    (found,) = read(mail("[PATCH] a", diff("a.c")) + mail("[PATCH] b", diff("b.c")))

    assert [(patch.k, patch.subject) for patch in found.patches] == [(1, "a"), (2, "b")]


def test_the_author_in_the_body_is_the_author():
    (found,) = read(mail("[PATCH] a", f"From: B Writer <b@example.org>\n\nText.\n---\n{diff()}"))

    assert found.patches[0].author == "B Writer <b@example.org>"


def test_a_commit_that_two_patches_claim_is_the_commit_of_none():
    (found,) = read(mail("[PATCH 1/2] a", diff("a.c")) + mail("[PATCH 2/2] b", diff("b.c")))

    assert [patch.commit for patch in found.patches] == ["", ""]


def test_links_to_earlier_versions_are_found():
    body = "Changes in v2:\n- Link to v1: https://lore.kernel.org/r/20260301-x-v1-0-aa@example.org\n"
    (found,) = read(mail("[PATCH v2 0/1] a", body))

    assert found.earlier == ("20260301-x-v1-0-aa@example.org",)


def test_a_copy_that_came_over_a_second_list_counts_once():
    text = series(patches=1)

    assert replace(read(text + text)[0]) == read(text)[0]


def test_a_removed_line_that_looks_like_a_signature_stays():
    text = diff(old="x").replace("-\tx\n", "-- \n-\tx\n")

    assert diff_of(text) == text
    assert diff_of(text + "-- \n2.39.5\n") == text


@given(st.integers(0, 4000), st.integers(0, 255), st.integers(0, 4000))
def test_any_prefix_and_any_changed_byte_gives_versions_or_a_format_error(length, byte, place):
    content = bytearray(series(patches=3).encode()[:length])
    if content:
        content[place % len(content)] = byte

    with suppress(FormatError):
        found = versions(mails(bytes(content), "x"))
        assert all([p.k for p in one.patches] == list(range(1, len(one.patches) + 1)) for one in found)
