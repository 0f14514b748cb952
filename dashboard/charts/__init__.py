"""Figures as pure functions: values in, a figure out. No Streamlit, no queries, no statistics."""
