"""What open lists are given to ask for news, and to tell them."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Poll:
    """Where and how often an open list asks whether it has changed."""

    url: str
    interval_ms: int


@dataclass(frozen=True, slots=True)
class ListChangeFragment:
    """What has become of a list since it was shown.

    Attributes:
        summary: As in "3 new, 1 changed".
        show_url: The page of the list as it is now.
        gone_ids: The rows that it no longer has, with spaces between them; not all where there are many.
    """

    template: ClassVar[str] = "partials/_list_change.html"

    summary: str
    show_url: str
    gone_ids: str
