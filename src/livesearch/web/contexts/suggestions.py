"""What the list of suggestions is given."""

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class SuggestionOption:
    """A line of the suggestion list.

    Attributes:
        url: The document to open; empty for a completion.
    """

    id: str
    text: str
    label: Markup
    url: str


@dataclass(frozen=True, slots=True)
class SuggestionsFragment:
    """The options of the suggestion list."""

    template: ClassVar[str] = "partials/_suggestions.html"

    text: str
    options: tuple[SuggestionOption, ...]
