"""Tables as all pages show them: times of one kind, no columns that say nothing, rows that can be chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st


def show(columns: Mapping[str, Sequence[object]], config: Mapping[str, Any] | None = None, **choice: Any) -> None:
    """The columns as a table. `config` and `choice` (key, callback) go to Streamlit as they are.

    Any: column types and callbacks of a widget have no common name.
    """
    frame = pd.DataFrame({name: values for name, values in columns.items() if _says_something(values)})
    times = {name: _time(name) for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])}
    st.dataframe(frame, column_config={**times, **(config or {})}, hide_index=True, **choice)


def _says_something(values: Sequence[object]) -> bool:
    return not values or any(value not in ("", None) for value in values)


def _time(name: str) -> Any:  # Any: see `show`
    return st.column_config.DatetimeColumn(f"{name} (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC")
