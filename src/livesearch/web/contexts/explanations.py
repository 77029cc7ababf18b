"""What the templates of explanations are given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One summand of a score.

    Attributes:
        share: Of the largest summand, in per cent.
    """

    label: str
    value: str
    share: int


@dataclass(frozen=True, slots=True)
class ExplanationBox:
    """Why a document stands where it does in a result, or why it is not there.

    Attributes:
        id: The id of what opens and closes it.
        question: What it answers.
        place: Where the document stands; empty for one that is not found.
        place_url: The page of results that shows it there; empty where that is the one that was asked for.
        notes: Sentences about the place or its absence.
        lines: What the score is made of, most first; they sum to it as they are shown.
        score: The sum; empty where there are no lines.
    """

    id: str
    question: str
    is_open: bool
    place: str
    place_url: str
    notes: tuple[str, ...]
    lines: tuple[ScoreLine, ...]
    score: str


@dataclass(frozen=True, slots=True)
class ExplanationFragment:
    """An explanation, in place of the link that asked for it."""

    template: ClassVar[str] = "partials/_explanation.html"

    explanation: ExplanationBox


@dataclass(frozen=True, slots=True)
class ExplanationPage(ExplanationFragment):
    """The page of an explanation, for those without JavaScript."""

    template: ClassVar[str] = "pages/explanation.html"

    title: str
    document_url: str
    results_url: str
    results_label: str
    collection_label: str
    search_url: str
    placeholder: str
    text: str
