"""Open alerts, newest first: the first part of the Inbox."""

import streamlit as st


def open_alerts() -> None:
    """The alerts that are open. Nothing judges new data by itself yet: the page says so instead of showing none."""
    st.markdown("##### Alerts")
    st.info("New data is not judged by itself yet. Compare and Patch series judge what you ask them.")
