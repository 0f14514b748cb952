"""A git tree with a patch series of six patches in three versions, for the session of docs/series.md.

The 4th patch of v1 makes clearing the dirty log 5 % slower; v2 does without that and gains 10 % by its 3rd patch;
v3 is rebased and takes the gain back. Commits have the same ids everywhere.
"""

from random_histories import git

BASE = {
    "cost": "0.02\n",
    "walk.c": "u64 *walk(struct kvm *kvm, gfn_t gfn)\n{\n\treturn step(kvm, gfn);\n}\n",
    "flush.c": "void flush(struct kvm *kvm, gfn_t gfn)\n{\n\tflush_page(kvm, gfn);\n}\n",
    "slot.c": "bool in_slot(struct slot *slot, gfn_t gfn)\n{\n\treturn gfn - slot->base < slot->npages;\n}\n",
    "clear.c": "void clear(struct kvm *kvm, gfn_t gfn)\n{\n\t*walk(kvm, gfn) &= ~DIRTY;\n}\n",
    "count.c": "void count(struct kvm *kvm)\n{\n}\n",
    "trace.c": "void trace(struct kvm *kvm)\n{\n}\n",
    "walk.rst": "The walk\n========\n",
}
_WALK = ("KVM: x86/mmu: Name the root of the walk", "walk.c", "step(kvm, gfn)", "step(kvm->root, gfn)")
_FLUSH = ("KVM: x86/mmu: Flush a range at once", "flush.c", "flush_page(kvm, gfn)", "flush_range(kvm, gfn, 1)")
_BATCH = (_FLUSH[0], "flush.c", "flush_page(kvm, gfn)", "flush_range(kvm, gfn, 64); /* times 0.9 */")
_SLOT = ("KVM: x86/mmu: Check the slot before the walk", "slot.c", "return gfn -", "return slot && gfn -")
_CLEAR = ("KVM: x86/mmu: Recheck the root before clearing", "clear.c", "*walk", "check(kvm); /* times 1.05 */\n\t*walk")
_RECHECK = (_CLEAR[0], "clear.c", "*walk", "if (unlikely(kvm->stale))\n\t\tcheck(kvm);\n\t*walk")
_COUNT = ("KVM: x86/mmu: Count cleared pages", "count.c", "{\n", "{\n\tkvm->stat.cleared++;\n")
_TRACE = ("KVM: x86/mmu: Trace the walk", "trace.c", "{\n", "{\n\ttrace_walk(kvm);\n")
_TEXT = ("Documentation: KVM: Describe the walk", "walk.rst", "====\n", "====\n\nIt begins at the root.\n")
VERSIONS = (
    ("base", (_WALK, _FLUSH, _SLOT, _CLEAR, _COUNT, _TEXT)),
    ("base", (_WALK, _SLOT, _BATCH, _RECHECK, _TRACE, _TEXT)),
    ("newer", (_WALK, _SLOT, _FLUSH, _RECHECK, _TRACE, _TEXT)),
)


def make(tree):
    """Branches `base`, `newer` and `walk-v1` to `walk-v3` in a new repository; `newer` is checked out."""
    git(tree, "init", "-q", "-b", "newer")
    stream = _commit("base", "KVM: the state before", BASE, mark=1)
    newer = BASE | {"cost": "0.0206\n"}
    stream += _commit("newer", "KVM: x86: Something else", newer, mark=2, parent=1)
    for number, (base, patches) in enumerate(VERSIONS, start=1):
        files, parent = dict(newer if base == "newer" else BASE), 2 if base == "newer" else 1
        for k, (subject, name, old, new) in enumerate(patches, start=1):
            assert files[name].count(old) == 1
            files[name] = files[name].replace(old, new)
            stream += _commit(f"walk-v{number}", subject, files, mark=10 * number + k, parent=parent)
            parent = 10 * number + k
    git(tree, "fast-import", "--quiet", content=stream.encode())
    git(tree, "checkout", "-q", "newer")


def _commit(branch, subject, files, *, mark, parent=0):
    source = f"from :{parent}\n" if parent else ""
    message = f"{subject}\n\nSigned-off-by: A Developer <dev@example.org>\n"
    who = f"A Developer <dev@example.org> {1767225600 + 60 * mark} +0000"
    written = "".join(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items())
    return (
        f"commit refs/heads/{branch}\nmark :{mark}\nauthor {who}\ncommitter {who}\n"
        f"data {len(message)}\n{message}\n{source}{written}\n"
    )
