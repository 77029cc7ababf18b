"""What is kept of a collection's columns: what of each must be read again, and for which snapshot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from pyroaring import BitMap

from livesearch.search.faceting import FacetColumn
from livesearch.search.histograms import Bins
from livesearch.search.numbers import NumberColumn
from livesearch.search.static_rank import StaticRank

# By chunk, the places of documents that may be others than they were; None for any, or a chunk that was never read.
Stale: TypeAlias = Mapping[int, frozenset[int] | None]

# Changed documents of a chunk that are remembered; past them it is read whole.
_PLACE_COUNT = 256


class Kind(Enum):
    """What a column holds."""

    EVERYTHING = "everything"  # the documents there are
    FACET = "facet"
    NUMBER = "number"


class ColumnName(NamedTuple):
    """A column of a collection."""

    kind: Kind
    field: str = ""


Column: TypeAlias = BitMap | FacetColumn | NumberColumn

EVERYTHING = ColumnName(Kind.EVERYTHING)


@dataclass(frozen=True, slots=True)
class Held:
    """A column as far as it was read; never changed.

    Attributes:
        stale: What it does not have, or as it was before.
    """

    column: Column
    stale: Stale

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 2 * len(self.column) if isinstance(self.column, BitMap) else self.column.size


def _empty(kind: Kind) -> Column:
    if kind is Kind.EVERYTHING:
        return BitMap()
    return FacetColumn() if kind is Kind.FACET else NumberColumn()


def merged(first: Stale, second: Stale) -> Stale:
    """What is stale by either."""
    found = dict(first)
    for chunk, places in second.items():
        known = found.get(chunk, frozenset())
        both = None if known is None or places is None else known | places
        found[chunk] = both if both is not None and len(both) <= _PLACE_COUNT else None
    return found


@dataclass(slots=True)
class ColumnState:
    """The columns of one collection at the newest version that a search has seen.

    Attributes:
        since: The version it began with; what changed before is not known.
        changed: By chunk that has changed since then, the first version seen that has its last change, and what all
            changes since then have changed.
        bins: By field.
        answered: What searches of this version asked for and were given.
    """

    version: int
    since: int
    changed: dict[int, tuple[int, frozenset[int] | None]] = field(default_factory=dict)
    held: dict[ColumnName, Held] = field(default_factory=dict)
    bins: dict[str, Bins] = field(default_factory=dict)
    rank: StaticRank | None = None
    answered: dict[object, Any] = field(default_factory=dict)  # Any: `columns.Columns`

    @property
    def size(self) -> int:
        """About how many bytes all columns take."""
        derived = sum(bins.ordinals.size for bins in self.bins.values()) + (self.rank.column.size if self.rank else 0)
        return derived + sum(held.size for held in self.held.values())

    def advance(self, version: int, stale: Stale) -> None:
        """Go on to a newer version, which has changed some chunks."""
        before = {chunk: self.changed.get(chunk, (0, frozenset()))[1] for chunk in stale}
        self.changed |= {chunk: (version, places) for chunk, places in merged(before, stale).items()}
        self.version = version
        self.answered = {}
        self.held = {name: replace(held, stale=merged(held.stale, stale)) for name, held in self.held.items()}

    def find(self, name: ColumnName, version: int, chunks: Iterable[int]) -> Held:
        """A column, and what must be read for a snapshot of some version.

        Args:
            version: No newer than the state's.
            chunks: All that the snapshot has.
        """
        held = self.held.get(name)
        if held is None or version < self.since:
            return Held(_empty(name.kind), dict.fromkeys(chunks))
        return replace(held, stale=merged(held.stale, self._changed_after(version)))

    def put(self, name: ColumnName, found: Held, version: int) -> None:
        """Keep what was read in a snapshot of some version, unless as much is there already."""
        if version < self.since:
            return
        known = self.held.get(name)
        stale = merged(found.stale, self._changed_after(version))
        if isinstance(found.column, FacetColumn) and found.column.is_worn:
            self.held.pop(name, None)
        elif known is None or len(stale) <= len(known.stale):
            self.held[name] = Held(found.column, stale)

    def _changed_after(self, version: int) -> Stale:
        return {chunk: places for chunk, (changed_at, places) in self.changed.items() if changed_at > version}
