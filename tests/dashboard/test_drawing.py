from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.parts import drawing


def _page():
    from dashboard.parts import drawing

    drawing.ahead()


def test_the_file_that_is_asked_for_is_streamlits_own():
    name = drawing.library()

    assert (Path(st.__file__).parent / "static" / "static" / "js" / name).stat().st_size > 1 << 20


def test_a_page_that_will_draw_asks_for_it():
    app = AppTest.from_function(_page).run()

    assert not app.exception
    assert drawing.library() in app.get("html")[0].proto.body
