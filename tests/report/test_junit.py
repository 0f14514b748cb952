import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from report.junit import Case, Outcome, render

cases = st.lists(
    st.builds(Case, st.text(), st.text(), st.sampled_from(list(Outcome)), st.text(), st.text()), max_size=6
)


@given(st.text(alphabet="abc"), cases)
def test_any_names_make_a_document_of_the_usual_shape(suite, told):
    root = ET.fromstring(render(suite, told))  # noqa: S314 (our own document)

    (inside,) = root
    assert (root.tag, inside.tag) == ("testsuites", "testsuite")
    assert {"name", "tests", "failures", "errors", "skipped", "time"} <= inside.attrib.keys()
    assert [one.tag for one in inside] == ["testcase"] * len(told)
    for element, one in zip(inside, told, strict=True):
        assert {"classname", "name", "time"} == element.attrib.keys()
        children = [child.tag for child in element]
        assert children == ([] if one.outcome is Outcome.PASSED else [one.outcome.value])
    for counter, tag in (("failures", "failure"), ("skipped", "skipped")):
        assert int(inside.attrib[counter]) == len(inside.findall(f"testcase/{tag}"))
    assert int(inside.attrib["tests"]) == len(told)
