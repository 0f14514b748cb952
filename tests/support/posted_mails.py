"""Mails of patch series, made by hand for tests."""

SERIES_ID = "20260301-mmu-walk-0123456789ab"


def diff(name="walk.c", old="return slow(gfn);", new="return fast(gfn);"):
    return (
        f"diff --git a/mm/{name} b/mm/{name}\nindex 1111111..2222222 100644\n--- a/mm/{name}\n+++ b/mm/{name}\n"
        f"@@ -10,3 +10,3 @@ int walk(u64 gfn)\n \tint level;\n-\t{old}\n+\t{new}\n }}\n"
    )


def mail(subject, body="", *, message_id="", answers="", headers="", sender="f" * 40):
    lines = [f"From {sender} Mon Sep 17 00:00:00 2001", "From: A Developer <dev@example.org>"]
    lines += [f"Message-Id: <{message_id}>"] * bool(message_id) + [f"In-Reply-To: <{answers}>"] * bool(answers)
    lines += ["Date: Tue, 3 Mar 2026 10:00:00 +0100", f"Subject: {subject}"] + [headers] * bool(headers)
    return "\n".join(lines) + f"\n\n{body.rstrip()}\n-- \n2.39.5\n\n"


def series(version=1, patches=2, *, change_id=SERIES_ID, answers="", tag="PATCH", subject="mm: walk less"):
    """An mbox with a cover letter as b4 writes it; the message ids are cover-vN, vN-K."""
    v = "" if version == 1 else f" v{version}"
    body = f"Walk less.\n---\nbase-commit: {'b' * 40}\n" + f"change-id: {change_id}\n" * bool(change_id)
    cover = mail(f"[{tag}{v} 0/{patches}] {subject}", body, message_id=f"cover-v{version}@x", answers=answers)
    return cover + "".join(
        mail(
            f"[{tag}{v} {k}/{patches}] mm: step {k}",
            f"Do it.\n---\n{diff(f'walk{k}.c')}",
            message_id=f"v{version}-{k}@x",
            answers=f"cover-v{version}@x",
            sender=f"{version}{k:039x}",
        )
        for k in range(1, patches + 1)
    )
