"""What the templates of errors are given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ErrorFragment:
    """What went wrong, for the error container of the page that asked.

    Attributes:
        reload_url: The page that asked, where it helps to load it anew; empty elsewhere.
    """

    template: ClassVar[str] = "partials/_error.html"

    status: int
    title: str
    detail: str
    reload_url: str = ""


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, as a page.

    Attributes:
        page_status: The status whose page is shown; differs from ``status`` for rare ones.
    """

    status: int
    title: str
    detail: str
    page_status: int

    @property
    def template(self) -> str:
        """The page of this status."""
        return f"errors/{self.page_status}.html"
