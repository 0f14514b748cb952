"""Figures as pure functions: values in, a Plotly figure out. No Streamlit, no queries, no statistics."""
