import pytest

from dashboard.parts.plain import markdown_text, plotly_text, shortened


@pytest.mark.parametrize("text", ["**bold**", "<script>", "[a](b)", "$x$", "`code`", "# title", "a | b", "~~no~~"])
def test_markdown_marks_are_escaped(text):
    shown = markdown_text(text)

    assert all(shown[i - 1] == "\\" for i, c in enumerate(shown) if c in "*<[]()$`#|~")


@pytest.mark.parametrize("text", [":smile:", ":material/home:", "http://x", "www.x.org", "a@b.org", "a--b", "<-", ">="])
def test_what_streamlit_replaces_late_is_broken_by_an_invisible_joiner(text):
    assert "\u2060" in markdown_text(text)


def test_ordinary_subjects_carry_no_joiner():
    assert "\u2060" not in markdown_text("KVM: x86/mmu: Split huge pages, mmu_lock (v2)")


def test_control_characters_are_spelled_and_long_texts_cut():
    assert shortened("\x1b[31mred\nnext") == "\\x1b[31mred\\nnext"
    assert len(shortened("x" * 1_000_000)) == 300
    assert shortened("x" * 1_000_000).endswith("…")
    assert shortened("") == ""


def test_plotly_sees_no_tags_formulas_or_templates():
    shown = plotly_text("<b>$x$</b> %{y}")

    assert not set(shown) & set("<>$%{}")
