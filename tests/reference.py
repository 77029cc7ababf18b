"""What a search must find, told by looking at every row; and rows and queries made by chance.

It knows nothing of how the engine reads a query: queries are made of pieces, which say what they mean.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from livesearch.domain import Range, Role, SearchQuery

Row = dict[str, object]

ROLES = {
    "title": Role.TITLE,
    "about": Role.TEXT,
    "maker": Role.FACET,
    "tags": Role.FACET,
    "year": Role.SORT,
    "popularity": Role.SORT,
    "released": Role.DATE,
}
# Popularity is a number that nobody types.
SEARCHED = ("id", "title", "about", "maker", "tags", "year", "released")
WORDS = ("red", "reed", "green", "gris", "blue", "blüe", "black", "b", "zelda", "zeldas", "1985")
MAKERS = ("Sega", "Sega Arcade", "Nintendo", "Atari")
TAGS = ("old", "new", "rare")


def random_rows(chance: Random, count: int) -> list[Row]:
    """Rows of few words, so that words meet; some have no year, but the first."""
    return [
        {
            "id": f"k{number}",
            "title": " ".join(chance.choices(WORDS, k=chance.randint(1, 3))),
            "about": " ".join(chance.choices(WORDS, k=chance.randint(0, 5))),
            "maker": chance.choice(MAKERS),
            "tags": chance.sample(TAGS, k=chance.randint(0, 2)),
            "popularity": chance.randint(0, 50),
            **({"year": chance.randint(1980, 1990)} if chance.random() < 0.9 or not number else {}),
            "released": f"{chance.randint(1980, 1990)}-{chance.randint(1, 12):02}-15",
        }
        for number in range(count)
    ]


def words_of(text: str) -> list[str]:
    """The words of a text in Latin letters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall("[a-z0-9]+", plain.lower())


def values_of(row: Row, name: str) -> list[str]:
    """The values of a field, as text."""
    value = row.get(name)
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


@dataclass(frozen=True, slots=True)
class Way:
    """A word, or a phrase; the last word may be unfinished."""

    words: tuple[str, ...]
    is_phrase: bool = False
    is_open: bool = False

    @property
    def text(self) -> str:
        """As it is typed."""
        typed = " ".join(self.words)
        return f'"{typed}{"" if self.is_open else chr(34)}' if self.is_phrase else typed

    def stands_in(self, held: Sequence[str]) -> bool:
        """Whether it stands in the words of one value."""
        *whole, last = self.words
        return any(
            list(held[start:end]) == whole
            and end < len(held)
            and (held[end] == last or (self.is_open and held[end].startswith(last)))
            for start in range(len(held))
            if (end := start + len(whole)) >= 0
        )


@dataclass(frozen=True, slots=True)
class Sought:
    """Words that must stand in a row, or must not; one of several ways is enough."""

    ways: tuple[Way, ...]
    field: str | None = None
    is_excluded: bool = False

    @property
    def text(self) -> str:
        """As it is typed."""
        begin = f"{'-' if self.is_excluded else ''}{f'{self.field}:' if self.field else ''}"
        return begin + " OR ".join(way.text for way in self.ways)

    @property
    def unfinished(self) -> "Sought":
        """The same at the end of a text; what is excluded is taken as it stands."""
        *before, last = self.ways
        return self if self.is_excluded else replace(self, ways=(*before, replace(last, is_open=True)))

    def holds(self, row: Row, rows: Sequence[Row]) -> bool:  # noqa: ARG002  # other pieces look at all rows
        """Whether a row is found."""
        names = (self.field,) if self.field else SEARCHED
        runs = [words_of(value) for name in names for value in values_of(row, name)]
        return any(way.stands_in(run) for way in self.ways for run in runs) != self.is_excluded


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: the very one, or where there is none, all that have the words."""

    field: str
    typed: str
    is_open: bool = False
    is_excluded: bool = False

    @property
    def text(self) -> str:
        """As it is typed."""
        typed = f'"{self.typed}"' if " " in self.typed else self.typed
        return f"{'-' if self.is_excluded else ''}{self.field}:{typed}"

    @property
    def unfinished(self) -> "Value":
        """The same at the end of a text."""
        return replace(self, is_open=not self.is_excluded and " " not in self.typed)

    def holds(self, row: Row, rows: Sequence[Row]) -> bool:
        """Whether a row is found."""
        every = {value for other in rows for value in values_of(other, self.field)}
        meant = {value for value in every if value.lower() == self.typed.lower()}
        if not meant:
            *whole, last = words_of(self.typed)
            meant = {
                value
                for value in every
                if set(whole) <= set(words_of(value))
                and any(word == last or (self.is_open and word.startswith(last)) for word in words_of(value))
            }
        return bool(meant & set(values_of(row, self.field))) != self.is_excluded


@dataclass(frozen=True, slots=True)
class Between:
    """A range of years, or of dates by their years."""

    field: str
    typed: str
    low: int = 0
    high: int = 9999
    is_excluded: bool = False

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"{'-' if self.is_excluded else ''}{self.field}:{self.typed}"

    @property
    def unfinished(self) -> "Between":
        """The same at the end of a text."""
        return self

    def holds(self, row: Row, rows: Sequence[Row]) -> bool:  # noqa: ARG002  # other pieces look at all rows
        """Whether a row is found."""
        value = values_of(row, self.field)
        return bool(value and self.low <= int(value[0][:4]) <= self.high) != self.is_excluded


Piece = Sought | Value | Between


@dataclass(frozen=True, slots=True)
class Question:
    """A text to search for, filters, and what they mean."""

    pieces: tuple[Piece, ...]
    query: SearchQuery

    def holds(self, row: Row, rows: Sequence[Row], *, without: str = "") -> bool:
        """Whether a row is found; one field's own filter or range can be left aside."""
        return all(piece.holds(row, rows) for piece in self.pieces) and passes(row, self.query, without=without)

    def found(self, rows: Sequence[Row], *, without: str = "") -> list[Row]:
        """The rows that are found, in their order."""
        return [row for row in rows if self.holds(row, rows, without=without)]

    def counts(self, rows: Sequence[Row], name: str) -> Mapping[str, int]:
        """How many documents each value of a facet would leave; chosen values also where that is none."""
        counted = Counter(value for row in self.found(rows, without=name) for value in values_of(row, name))
        return {**dict.fromkeys(self.query.filters.get(name, ()), 0), **counted}


def passes(row: Row, query: SearchQuery, *, without: str = "") -> bool:
    """Whether the filters and ranges of a query leave a row."""
    for name, chosen in query.filters.items():
        if name != without and not set(values_of(row, name)) & set(chosen):
            return False
    for name, limits in query.ranges.items():
        year = int(values_of(row, name)[0][:4]) if values_of(row, name) else None
        is_within = year is not None and int(limits.minimum or 0) <= year <= int(limits.maximum or 9999)
        if name != without and not is_within:
            return False
    return True


def random_question(chance: Random) -> Question:
    """A question of up to four pieces, some with filters, ranges, or an order."""
    pieces = [_random_piece(chance) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4)))]
    text = " ".join(piece.text for piece in pieces)
    if chance.random() < 0.5:  # every other time
        text += " "
    elif pieces:
        pieces[-1] = pieces[-1].unfinished
        text = " ".join(piece.text for piece in pieces)
    return Question(tuple(pieces), replace(_random_filters(chance), text=text))


def _random_piece(chance: Random) -> Piece:
    kind = chance.choice(("word", "word", "word", "phrase", "or", "field", "value", "range"))
    is_excluded = chance.random() < 0.2  # one in five
    if kind == "value":
        name, typed = chance.choice((("maker", "sega"), ("maker", "arc"), ("maker", "NINTENDO"), ("tags", "ra")))
        typed = chance.choice((typed, "Sega Arcade")) if name == "maker" else typed
        return Value(name, typed, is_excluded=is_excluded)
    if kind == "range":
        return replace(chance.choice(list(_ranges(chance))), is_excluded=is_excluded)
    field = chance.choice(("title", "about", "id")) if kind == "field" else None
    ways = tuple(_random_way(chance, kind) for _ in range(chance.choice((2, 2, 3)) if kind == "or" else 1))
    return Sought(ways, field, is_excluded=is_excluded and kind != "or")


def _random_way(chance: Random, kind: str) -> Way:
    if kind == "phrase" or (kind != "word" and chance.random() < 0.3):  # about one in three
        return Way(tuple(chance.choices(_TYPED, k=chance.choice((1, 2, 2, 3)))), is_phrase=True)
    word = chance.choice((*_TYPED, *_TYPED, "sega", "1985", "06", "k1", "absent"))
    return Way((word if chance.random() < 0.7 else word[: chance.randint(1, len(word))],))


_TYPED = tuple(dict.fromkeys(words_of(" ".join(WORDS))))


def _ranges(chance: Random) -> Iterator[Between]:
    low = chance.randint(1979, 1991)
    high = low + chance.randint(0, 5)
    for name in ("year", "released"):
        yield Between(name, f"{low}..{high}", low, high)
        yield Between(name, f"{low}..", low)
        yield Between(name, f"..{high}", high=high)
        yield Between(name, f"{low}", low, low)
        yield Between(name, f">{low}", low + 1)
        yield Between(name, f">={low}", low)
        yield Between(name, f"<{high}", high=high - 1)
        yield Between(name, f"<={high}", high=high)


def _random_filters(chance: Random) -> SearchQuery:
    filters: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, Range] = {}
    if chance.random() < 0.3:  # about one in three
        filters["maker"] = tuple(chance.sample(MAKERS, k=chance.randint(1, 2)))
    if chance.random() < 0.2:  # one in five
        filters["tags"] = (chance.choice((*TAGS, "absent")),)
    if chance.random() < 0.2:  # one in five
        low = chance.randint(1980, 1988)
        ranges[chance.choice(("year", "released"))] = Range(str(low), chance.choice((None, str(low + 2))))
    sort = chance.choice(("", "", "", "year", "-year", "released", "-popularity"))
    return SearchQuery(filters=filters, ranges=ranges, sort=sort, page_size=chance.choice((3, 7, 20)))
