"""What the sampled values of a field look like."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from livesearch.domain import Document, FieldType
from livesearch.ingest.values import number_of

# A column of numbers may hold a few "n/a"; more than one in twenty and it is text.
FITTING_SHARE = 0.95
_URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+\.\S+", re.IGNORECASE)
_WORD_BOUNDARY = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Profile:
    """A field's sampled values; nothing here depends on what other fields hold.

    Attributes:
        row_count: Rows in the sample.
        present_count: Rows with a value that is not blank.
        values: Those values, those of lists one by one.
        is_list: Whether any row held a list.
    """

    name: str
    row_count: int
    present_count: int
    values: tuple[Any, ...]  # Any: JSON scalars
    is_list: bool

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name, in lower case: ``imageUrl`` and ``image_url`` give ``image url``."""
        return tuple(word.lower() for word in _WORD_BOUNDARY.split(self.name) if word)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The values as text."""
        return tuple(value.strip() if isinstance(value, str) else str(value) for value in self.values)

    @cached_property
    def counts(self) -> Counter[str]:
        """Occurrences of each distinct value."""
        return Counter(self.texts)

    @property
    def distinct_count(self) -> int:
        """Distinct values."""
        return len(self.counts)

    @property
    def is_complete(self) -> bool:
        """Whether every sampled row has a value."""
        return self.present_count == self.row_count

    @cached_property
    def distinct_share(self) -> float:
        """Distinct values over values, 0.0 to 1.0."""
        return self.distinct_count / len(self.values) if self.values else 0.0

    @cached_property
    def repeated_share(self) -> float:
        """The share of values that stand in the sample more than once, 0.0 to 1.0."""
        return sum(n for n in self.counts.values() if n > 1) / len(self.values) if self.values else 0.0

    @cached_property
    def words_per_value(self) -> float:
        """Mean words in one value."""
        return sum(len(text.split()) for text in self.texts) / len(self.texts) if self.texts else 0.0

    @cached_property
    def words_per_row(self) -> float:
        """Mean words in a row that has the field; a list counts as one."""
        return self.words_per_value * len(self.values) / self.present_count if self.present_count else 0.0

    @cached_property
    def letters_per_value(self) -> float:
        """Mean characters in one value."""
        return sum(map(len, self.texts)) / len(self.texts) if self.texts else 0.0

    @cached_property
    def longest(self) -> int:
        """Characters in the longest value."""
        return max(map(len, self.texts), default=0)

    @cached_property
    def spaced_share(self) -> float:
        """The share of values with a blank inside."""
        return self.share(lambda text: " " in text)

    @cached_property
    def is_text_only(self) -> bool:
        """Whether every value was written as text."""
        return all(isinstance(value, str) for value in self.values)

    @cached_property
    def type(self) -> FieldType:
        """The type that nearly all values fit; text when none does."""
        if not self.values:
            return FieldType.TEXT
        if self._fits(lambda value: isinstance(value, bool) or str(value).strip().lower() in {"true", "false"}):
            return FieldType.BOOLEAN
        if self._fits(lambda value: not isinstance(value, bool) and number_of(value, FieldType.NUMBER) is not None):
            return FieldType.NUMBER
        if self._fits(lambda value: isinstance(value, str) and number_of(value, FieldType.DATE) is not None):
            return FieldType.DATE
        if self.share(_URL.fullmatch) >= FITTING_SHARE:
            return FieldType.URL
        return FieldType.TEXT

    def fit_share(self, type: FieldType) -> float:  # noqa: A002
        """The share of values that read as a number of that type."""
        if not self.values:
            return 0.0
        return sum(number_of(value, type) is not None for value in self.values) / len(self.values)

    def share(self, holds: Callable[[str], object]) -> float:
        """The share of distinct-or-not values of which a claim holds, 0.0 to 1.0."""
        return sum(1 for text in self.texts if holds(text)) / len(self.texts) if self.texts else 0.0

    def _fits(self, holds: Callable[[Any], bool]) -> bool:
        # Looking at a few first spares most fields the whole look.
        few = self.values[:20]
        if sum(map(holds, few)) < len(few) / 2:
            return False
        return sum(map(holds, self.values)) >= FITTING_SHARE * len(self.values)


def profile_fields(sample: Sequence[Document]) -> tuple[Profile, ...]:
    """Profile every field of a sample, in the source's order; a name met late stands after its neighbour."""
    values: dict[str, list[Any]] = {}
    present: Counter[str] = Counter()
    lists: set[str] = set()
    order: list[str] = []
    for document in sample:
        before = -1
        for name, value in document.items():
            if name not in values:
                values[name] = []
                order.insert(before + 1 if before >= 0 else _position_of_first(document, order), name)
            before = _next_position(order, name, before)
            kept = _scalars(value)
            if isinstance(value, list):
                lists.add(name)
            if kept:
                present[name] += 1
                values[name].extend(kept)
    return tuple(Profile(name, len(sample), present[name], tuple(values[name]), name in lists) for name in order)


def _next_position(order: list[str], name: str, before: int) -> int:
    following = before + 1
    return following if following < len(order) and order[following] == name else order.index(name)


def _position_of_first(document: Document, order: list[str]) -> int:
    """Where a name that opens its document belongs: before the next name that is known."""
    return next((order.index(name) for name in document if name in order), len(order))


def _scalars(value: object) -> list[object]:
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if part is not None and not (isinstance(part, str) and not part.strip())]
