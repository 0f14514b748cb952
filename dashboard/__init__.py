"""The Streamlit pages. Reads through `report` and `db.queries`; no SQL and no statistics here."""
