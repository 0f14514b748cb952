"""What every page is given: the database it shows and the other pages it links to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streamlit.navigation.page import Page

from dashboard import loaders


@dataclass(frozen=True, slots=True)
class Context:
    """The database, and the pages by their word in the URL."""

    url: str
    pages: Mapping[str, Page] = field(default_factory=dict)

    @property
    def source(self) -> tuple[str, str]:
        """The database and its present state: the first two arguments of every loader."""
        return self.url, loaders.token(self.url)


Render = Callable[[Context], None]
