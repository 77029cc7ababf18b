"""Static rank: how good a document is whatever is asked, by its popularity and its age."""

from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np

from livesearch.domain import Collection
from livesearch.search.bands import Numbers, changed_places
from livesearch.search.numbers import NO_NUMBERS, NumberColumn
from livesearch.search.ordering import ColumnOrder, Order

_DAY = 86_400
# Changed documents of a chunk that are scored one by one.
_FEW_PLACES = 256
# Shorter half-lives would divide by nothing.
_SHORTEST_DAYS = 1 / 24


@dataclass(frozen=True, slots=True)
class RankRule:
    """How static scores are made.

    Attributes:
        popularity_name: Field; None where popularity does not count.
        recency_name: Field; None where age does not count.
        day: From which ages are told, in days since 1970.
    """

    popularity_name: str | None
    popularity_weight: float
    recency_name: str | None
    recency_weight: float
    half_life_days: float
    day: int

    @classmethod
    def of(cls, collection: Collection, now: float) -> "RankRule":
        """The rule of a collection.

        Args:
            now: Unix seconds; taken by the day, so that an order holds for a day.
        """
        settings = collection.settings
        is_recent = settings.recency_field and settings.recency_weight > 0
        return cls(
            popularity_name=collection.popularity_field if settings.popularity_weight > 0 else None,
            popularity_weight=settings.popularity_weight,
            recency_name=settings.recency_field if is_recent else None,
            recency_weight=settings.recency_weight,
            half_life_days=max(settings.recency_half_life_days, _SHORTEST_DAYS),
            # Without ages, scores are the same every day.
            day=int(now // _DAY) if is_recent else 0,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are read."""
        return tuple(name for name in (self.popularity_name, self.recency_name) if name)

    def scores(self, popularity: Numbers, dates: Numbers) -> Numbers:
        """The static scores of some documents: more than 0, NaN for none."""
        found = np.zeros(len(popularity))
        if self.popularity_name:
            found += self.popularity_weight * np.log10(1 + np.fmax(popularity.astype(np.float64), 0))
        if self.recency_name:
            # What is dated in the future is as new as what is of today.
            ages = np.maximum(self.day - dates.astype(np.float64) / _DAY, 0)
            found += np.nan_to_num(self.recency_weight * 0.5 ** (ages / self.half_life_days), nan=0.0)
        found[found <= 0] = np.nan
        return found


@dataclass(frozen=True, slots=True)
class StaticRank:
    """The static scores of a collection; never changed, another version shares what is the same.

    Attributes:
        column: NaN where the score is 0.
        sources: The chunks of popularity, and those of dates, that the scores were made of.
    """

    rule: RankRule
    column: NumberColumn = field(default_factory=NumberColumn)
    sources: tuple[tuple[Numbers, ...], tuple[Numbers, ...]] = ((), ())

    def following(self, popularity: NumberColumn, dates: NumberColumn) -> "StaticRank":
        """The scores for these numbers: only chunks that have changed are scored. All of them take 0.05 s a million."""
        sources = popularity.chunks, dates.chunks
        column, chunks = self.column, {}
        for chunk, pairs in enumerate(zip_longest(*self.sources, *sources, fillvalue=NO_NUMBERS)):
            before, after = pairs[:2], pairs[2:]
            changed = [changed_places(old, new) for old, new in zip(before, after, strict=True) if old is not new]
            places = np.unique(np.concatenate([*changed, np.empty(0, np.intp)]))
            if len(places) > _FEW_PLACES:
                chunks[chunk] = self.rule.scores(*after)
            elif len(places):
                scores = self.rule.scores(*(numbers[places] for numbers in after)).tolist()
                column = column.with_documents(chunk, dict(zip(places.tolist(), scores, strict=True)))
        return StaticRank(self.rule, column.with_chunks(chunks), sources)

    @property
    def order(self) -> Order:
        """Best first."""
        return ColumnOrder(self.column, is_descending=True, missing=0.0)
