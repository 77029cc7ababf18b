"""The order of results: tiers first, then a score over the best candidates.

Only the first documents of each tier, by static rank, are scored. All others follow in (tier, static rank) order, so a
page is the same however one comes to it.

A score is a sum, so that it can be explained. What a word adds is relative to how rare it is (BM25); a title that
holds it adds again. Title and popularity decide between rows that hold the words equally well, which is the case of
nearly all rows while one types a name; term frequency and length decide in prose; so do short texts, and how near the
words stand, where a few words are typed that say what a row is about.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from livesearch.domain import Collection, Document, Field, Role, ScorePart
from livesearch.search.analysis import title_terms, words, written
from livesearch.search.query import Alternative, Clause, Kind, ParsedQuery
from livesearch.search.readings import READ_LENGTH, Layout, Reading, layout_of, read
from livesearch.search.values import display_text, is_searched

# BM25's saturation and length normalisation. Source: Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75.
_K1, _B = 1.2, 0.75
_SATURATED = _K1 + 1
# A field's weight is what a word in it is worth to somebody who typed a name: 10 in a title. As a factor of term
# frequency that would drown prose; its 0.4th power is 2.5 for titles, 1.6 for short texts, 1 for long ones. Titles add
# again below; short texts count more where few words are typed, see ``text_power``.
_WEIGHT_POWER = 0.4


@dataclass(frozen=True, slots=True)
class _Manner:
    """What tells rows apart: for the few words that somebody types who knows what is there, or for a question in prose.

    Attributes:
        text_power: Of the weight of a text, as a factor of term frequency.
        label_share: What is left of a word's frequency in what a row is filed under, and in what it lists.
        form: The worth of another form of a word; a synonym's is a little less.
        exact: What the typed form itself adds.
        near: What words add that stand side by side; further apart, less.
        title_power: Of the share of the query that a title holds, which its words are worth less by. A title with one
            of four words is about something else.
    """

    text_power: float
    label_share: float
    form: float
    exact: float
    near: float
    title_power: int


# What the parts of a score are worth, relative to the inverse document frequency of the words they are about. Set by
# `make bench ARGS="relevance …"` and `"known-items …"`.
_FEW = _Manner(text_power=1.4, label_share=0.1, form=0.7, exact=0.3, near=1.2, title_power=2)
# One word may well be what rows are filed under: a maker, an author.
_ONE = replace(_FEW, label_share=1.0)
_PROSE = _Manner(text_power=0.4, label_share=1.0, form=0.9, exact=0.2, near=0.2, title_power=0)
# Words of a question in prose, as in `relaxing`.
_PROSE_COUNT = 5
_TITLE_WORD = 0.5
_TITLE_COVERAGE = 2.0
_TITLE_BEGINS = 0.5
_TITLE_EQUALS = 1.0
# Words so far apart, beyond being neighbours, are worth half of what neighbours are.
_NEAR_SPAN = 4
# Places past which words do not stand together, and those that lie between one text and the next.
_FAR, _TEXT_GAP = 100, 2
# The least a word counts in titles, however frequent it is.
_LEAST_RARITY = 2.0
# How much of a word's worth is left when another stands for it.
_CORRECTED, _SYNONYM_LOSS = 0.9, 0.1
# The first letter is hardly ever wrong: “zedla” is “zelda” rather than the beginning of “bedlam”.
_OTHER_FIRST_LETTER = 0.5
# `token_count` counts a word once a document; texts repeat a quarter of theirs.
_REPEATS = 1.3


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a collection and a query have to do with each other.

    Attributes:
        document_count: Documents of the collection.
        mean_length: Words of a document on average, repeats left out.
        frequencies: By clause, the documents that satisfy it.
    """

    document_count: int
    mean_length: float
    frequencies: tuple[int, ...]

    def rarity(self, clause: int) -> float:
        """The clause's inverse document frequency; 0 or more."""
        count, held = self.document_count, min(self.frequencies[clause], self.document_count)
        return math.log(1 + (count - held + 0.5) / (held + 0.5))


@dataclass(slots=True)
class _Slot:
    """One word of one alternative of a clause, looked for in documents."""

    clause: int
    quality: float
    is_typed: bool


# A slot, its clause, how closely a word fits it, 1.0 for the whole word, and what that is worth.
_Hit = tuple[int, int, float, float]
# Of a clause that a document does not hold.
_NOTHING = (0.0, 0.0, 0.0)
# What a word that is looked for begins with in a text, and the word; None where it may be any that begins so.
_Needle = tuple[str, str | None]


class _Occurrence(dict[str, tuple[_Hit, ...]]):
    """By word, what it fits; computed once a word."""

    def __init__(
        self, slots: Sequence[_Slot], whole: Mapping[str, list[int]], prefixes: Sequence[tuple[str, int]]
    ) -> None:
        super().__init__()
        self._slots = slots
        self._whole = whole
        self._prefixes = prefixes
        self._starts = tuple(start for start, _ in prefixes)

    def __missing__(self, word: str) -> tuple[_Hit, ...]:
        if word not in self._whole and not word.startswith(self._starts):  # most words
            self[word] = ()
            return ()
        found = [(slot, 1.0) for slot in self._whole.get(word, ())]
        for start, slot in self._prefixes:
            if word.startswith(start) and word != start:
                found.append((slot, 0.5 + 0.5 * len(start) / len(word)))
        slots = self._slots
        hits = self[word] = tuple(
            [(slot, slots[slot].clause, near, near * slots[slot].quality) for slot, near in found]
        )
        return hits


@dataclass(slots=True)
class _Evidence:
    """What has been seen of a query in one document, slot by slot.

    Attributes:
        counts: How often, each time by the weight of its field.
        closeness: How closely at best.
        in_title: The same, in titles alone.
        shape: How much of the best title was asked for, whether it begins so, is so, and how near words stand in it.
        near: How near neighbouring words of the query stand in the text where they are nearest.
        part_count: Parts of words of titles that were read.
    """

    counts: list[float]
    closeness: list[float]
    in_title: list[float]
    shape: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    near: float = 0.0
    part_count: int = 0


class Scorer:
    """Scores documents of one collection for one query."""

    def __init__(
        self, query: ParsedQuery, collection: Collection, statistics: Statistics, *, with_parts: bool = True
    ) -> None:
        """Prepare for a query.

        Args:
            with_parts: Whether a word that stands nowhere is looked for among parts of the words of titles. Of no use
                where documents need not hold every word.
        """
        self._with_parts = with_parts
        self._manner = manner = _manner_of(query)
        self._clauses = query.clauses
        self._folded = query.folded
        self._rarity = [statistics.rarity(at) for at in range(len(query.clauses))]
        # One letter is still what somebody typed.
        self._worth = [max(rarity, _LEAST_RARITY) for rarity in self._rarity]
        self._whole_worth = sum(self._worth) or 1.0
        self._mean_length = max(statistics.mean_length, 1.0) * _REPEATS
        titles = collection.by_role(Role.TITLE) or collection.by_role(Role.KEY)
        self._title_weights = [field.weight**_WEIGHT_POWER for field in titles]
        others = [field for field in collection.fields if field not in titles and is_searched(field)]
        texts = [field for field in others if not _is_label(field)]
        self._text_weights = [_factor(field, manner) for field in texts]
        labels: defaultdict[float, list[str]] = defaultdict(list)
        for field in filter(_is_label, others):
            labels[manner.label_share * field.weight**_WEIGHT_POWER].append(field.name)
        self._label_weights = list(labels)
        # Where the fields of a reading end that are titles, and those that are texts.
        self._title_end, self._text_end = len(titles), len(titles) + len(texts)
        self._layout = layout_of(
            tuple(field.name for field in titles),
            tuple(field.name for field in texts),
            tuple(map(tuple, labels.values())),
        )
        self._quality = {
            Kind.TYPED: 1.0,
            Kind.FORM: manner.form,
            Kind.SYNONYM: manner.form - _SYNONYM_LOSS,
            Kind.CORRECTED: _CORRECTED,
        }
        self._slots: list[_Slot] = []
        # By clause, its alternatives as slots; a document satisfies one that it has all slots of.
        self._ways: list[list[tuple[int, ...]]] = []
        whole: defaultdict[str, list[int]] = defaultdict(list)
        prefixes: list[tuple[str, int]] = []
        for at, clause in enumerate(query.clauses):
            self._ways.append([self._take(at, way, whole, prefixes) for way in clause.alternatives])
        # Of a clause with one way of one word, as nearly all are: the slot alone.
        self._only = [ways[0][0] if len(ways) == 1 == len(ways[0]) else None for ways in self._ways]
        self._zeros = [0.0] * len(self._slots)
        self._fits = _Occurrence(self._slots, whole, prefixes)
        # What to look for in texts whose words stand between blanks.
        starts = {start for start, _ in prefixes}
        self._needles: list[_Needle] = [(f" {start}", None) for start in starts]
        self._needles += [(f" {word} ", word) for word in whole if word not in starts]

    def _take(
        self, clause: int, way: Alternative, whole: defaultdict[str, list[int]], prefixes: list[tuple[str, int]]
    ) -> tuple[int, ...]:
        quality = self._quality[way.kind]
        if way.kind is Kind.CORRECTED and way.text[0] != self._clauses[clause].typed.text[0]:
            quality *= _OTHER_FIRST_LETTER
        slots = []
        for term in way.terms:
            slot = len(self._slots)
            self._slots.append(_Slot(clause, quality, is_typed=way.kind is Kind.TYPED))
            whole[term.text].append(slot)
            if term.is_prefix:
                prefixes.append((term.text, slot))
            slots.append(slot)
        return tuple(slots)

    @property
    def layout(self) -> Layout:
        """What it reads of documents."""
        return self._layout

    def score(self, reading: Reading, static: float) -> float:
        """How well a document fits; larger is better.

        Args:
            reading: Of the document, in this scorer's layout.
            static: What its popularity and recency add.
        """
        return math.fsum(self._values(reading, static))

    def explain(self, document: Document, static: float) -> tuple[ScorePart, ...]:
        """The summands of the score, in words; those that are nothing are left out."""
        reading = read(document, self._layout)
        labels = [label.format(text) for text in self._held(reading) for label in _CLAUSE_LABELS] + list(_LABELS)
        parts = zip(labels, self._values(reading, static), strict=True)
        return tuple(ScorePart(label, value) for label, value in parts if value)

    def _held(self, reading: Reading) -> list[str]:
        """By clause, what the document holds of it, and what that stands for where it was not typed."""
        found = {word for text in reading.fields for word in text.split()}
        return [_describe(clause, found) for clause in self._clauses]

    def _values(self, reading: Reading, static: float) -> list[float]:
        """The summands: those of each clause as in ``_CLAUSE_LABELS``, then those of ``_LABELS``."""
        seen = _Evidence(self._zeros.copy(), self._zeros.copy(), self._zeros.copy())
        self._look_through(reading, seen)
        found = self._found(seen, reading.length)
        if self._with_parts and not all(text_value for text_value, _, _ in found):
            seen.shape = max(seen.shape, self._read_parts(reading, seen))
            found = self._found(seen, reading.length + seen.part_count)
        share = 0.0
        for worth, (_, _, titled) in zip(self._worth, found, strict=True):
            if titled:
                share += worth
        share /= self._whole_worth
        titled_worth, exact_worth = share**self._manner.title_power, self._manner.exact
        values: list[float] = []
        for rarity, worth, (text_value, exact, titled) in zip(self._rarity, self._worth, found, strict=True):
            values += rarity * text_value, rarity * exact * exact_worth, worth * titled * titled_worth * _TITLE_WORD
        coverage, begins, equals, near = seen.shape
        values += _TITLE_COVERAGE * titled_worth * coverage, _TITLE_BEGINS * begins, _TITLE_EQUALS * equals
        # Rows that are called alike are told apart by how popular they are; rows that only mention the words, less.
        values += self._manner.near * max(seen.near, near), static * (share + (1 - share) / max(len(found), 1))
        return values

    def _look_through(self, reading: Reading, seen: _Evidence) -> None:
        """Count what a document holds."""
        # Most words of most documents are none that is looked for; C passes over those. Loops are written out: a
        # generator takes longer to make than there is to look at.
        fields = reading.fields
        for title, weight in zip(fields, self._title_weights, strict=False):  # titles are the first
            for start, _ in self._needles:
                if start in title:
                    seen.shape = max(seen.shape, self._read_title(title.split(), weight, seen, title))
                    break
        everything = reading.everything
        if needles := [needle for needle in self._needles if needle[0] in everything]:
            texts = fields[self._title_end : self._text_end]
            if len(self._ways) > 1:
                self._read_texts(texts, needles, seen)
            else:  # a word stands near no other
                for text, weight in zip(texts, self._text_weights, strict=True):
                    self._count_words(text, weight, needles, seen)
            for text, weight in zip(fields[self._text_end :], self._label_weights, strict=True):
                self._count_words(text, weight, needles, seen)

    def _found(self, seen: _Evidence, length: int) -> list[tuple[float, float, float]]:
        """By clause, its term frequency part, exactness and place in a title."""
        norm = _K1 * (1 - _B + _B * length / self._mean_length)
        found: list[tuple[float, float, float]] = []
        for ways, only in zip(self._ways, self._only, strict=True):
            if only is None:
                found.append(self._clause_values(ways, seen, norm))
            elif count := seen.counts[only]:
                slot = self._slots[only]
                near = seen.closeness[only] * slot.quality
                exact = 1.0 if slot.is_typed and near == 1.0 else 0.0
                found.append((near * count * _SATURATED / (count + norm), exact, seen.in_title[only] * slot.quality))
            else:
                found.append(_NOTHING)
        return found

    def _clause_values(self, ways: list[tuple[int, ...]], seen: _Evidence, norm: float) -> tuple[float, float, float]:
        """A clause's term frequency part, exactness and place in a title, each for its best ways."""
        frequency = exact = title = best = 0.0
        for way in ways:
            first = way[0]
            if len(way) == 1:  # as nearly always
                count, near, titled = seen.counts[first], seen.closeness[first], seen.in_title[first]
            else:
                count = min([seen.counts[slot] for slot in way])
                near = min([seen.closeness[slot] for slot in way])
                titled = min([seen.in_title[slot] for slot in way])
            if not count:
                continue
            slot = self._slots[first]
            near *= slot.quality
            frequency += count
            best = max(best, near)
            title = max(title, titled * slot.quality)
            if slot.is_typed and near == 1.0:
                exact = 1.0
        return best * frequency * _SATURATED / (frequency + norm) if frequency else 0.0, exact, title

    def _read_title(
        self, title: Sequence[str], weight: float, seen: _Evidence, spaced: str = ""
    ) -> tuple[float, float, float, float]:
        """Count what a title holds; how much of it was asked for, and in which order.

        Args:
            spaced: The title as a text with blanks around its words; empty where its beginning tells nothing.
        """
        counts, closeness, in_title = seen.counts, seen.closeness, seen.in_title
        covered: dict[int, float] = {}
        covered_count = 0
        places: list[tuple[int, int]] = []
        for place, hits in enumerate(map(self._fits.__getitem__, title)):
            if not hits:
                continue
            covered_count += 1
            for slot, clause, near, worth in hits:
                counts[slot] += weight
                if near > closeness[slot]:  # noqa: PLR1730  # half the time of a call of max()
                    closeness[slot] = near
                if near > in_title[slot]:  # noqa: PLR1730
                    in_title[slot] = near
                if worth > covered.get(clause, 0.0):
                    covered[clause] = worth
                places.append((place, clause))
        if not covered:
            return 0.0, 0.0, 0.0, 0.0
        whole = 0.0
        for clause, worth in covered.items():
            whole += self._worth[clause] * worth
        begins = spaced.startswith(self._folded, 1)
        equals = begins and len(spaced) == len(self._folded) + 2
        near = self._nearness(places) if len(covered) > 1 else 0.0
        return covered_count / len(title) * whole / len(self._ways), begins * whole, equals * whole, near

    def _read_parts(self, reading: Reading, seen: _Evidence) -> tuple[float, float, float, float]:
        """Count what titles hold as parts of words, or joined: “python 3” in “python3”."""
        best = (0.0, 0.0, 0.0, 0.0)
        for name, weight in zip(self._layout.titles, self._title_weights, strict=True):
            text = display_text(reading.document.get(name))[:READ_LENGTH]
            word_count = len(words(text))
            if parts := title_terms(text)[word_count:]:
                seen.part_count += len(parts)
                coverage, *_ = self._read_title(parts, weight, seen)
                # Of a long title a part is little, and where parts stand tells nothing.
                best = max(best, (coverage * len(parts) / max(len(parts), word_count), 0.0, 0.0, 0.0))
        return best

    def _read_texts(self, texts: Sequence[str], needles: Sequence[_Needle], seen: _Evidence) -> None:
        """Count what texts hold, and how near the words of the query stand in them."""
        base, places = 0, []
        for text, weight in zip(texts, self._text_weights, strict=True):
            place, passed = base, 0
            for start, word in _find(text, needles):
                place += text.count(" ", passed, start)
                passed = start
                for slot, clause, near, _ in self._fits[word]:
                    seen.counts[slot] += weight
                    if near > seen.closeness[slot]:  # noqa: PLR1730  # half the time of a call of max()
                        seen.closeness[slot] = near
                    places.append((place, clause))
            base += text.count(" ") - 1 + _TEXT_GAP
        if len(places) > 1:
            seen.near = self._nearness(places)

    def _count_words(self, text: str, weight: float, needles: Sequence[_Needle], seen: _Evidence) -> None:
        """Count what a text or a label holds, wherever it stands there."""
        for _, word in _find(text, needles):
            for slot, _, near, _ in self._fits[word]:
                seen.counts[slot] += weight
                if near > seen.closeness[slot]:  # noqa: PLR1730
                    seen.closeness[slot] = near

    def _nearness(self, places: Sequence[tuple[int, int]]) -> float:
        """How near words stand that are neighbours in the query, by their worth; 1 for neighbours in a text.

        One run through the text counts, in the order of the query, that which is worth most: words that are near each
        other here, and others there, are not what was asked for. A pair in the other order is worth half.

        Args:
            places: Of words and the clauses they satisfy, in order.
        """
        # By clause, where it was last seen, and what the run that ends there is worth.
        ends: dict[int, tuple[int, float]] = {}
        best = 0.0
        for place, clause in places:
            run = 0.0
            # A word may satisfy two clauses: then it stands beside nothing.
            if (before := ends.get(clause - 1)) and 0 < (gap := place - before[0]) < _FAR:
                run = before[1] + self._worth[clause] / (1 + (gap - 1) / _NEAR_SPAN)
                best = max(best, run)
            elif (after := ends.get(clause + 1)) and 0 < (gap := place - after[0]) < _FAR:
                best = max(best, self._worth[clause + 1] / (1 + gap / _NEAR_SPAN) / 2)
            # Where a clause is met again, what follows stands nearer to it, unless the run that led to it was better.
            known = ends.get(clause)
            if known is None or run >= known[1] or place - known[0] > _NEAR_SPAN:
                ends[clause] = place, run
        return best


def is_prose(query: ParsedQuery) -> bool:
    """Whether a query is a question rather than a few words."""
    return len(query.clauses) >= _PROSE_COUNT


def _manner_of(query: ParsedQuery) -> _Manner:
    return _PROSE if is_prose(query) else _ONE if len(query.clauses) == 1 else _FEW


def _factor(field: Field, manner: _Manner) -> float:
    """What a word counts in a text, as a factor of term frequency."""
    power: float = manner.text_power if field.role is Role.TEXT else _WEIGHT_POWER
    return float(field.weight**power)


def _is_label(field: Field) -> bool:
    return field.role is Role.FACET or field.is_list


def _describe(clause: Clause, found: set[str]) -> str:
    ways = (way for way in clause.alternatives if all(any(map(term.fits, found)) for term in way.terms))
    way = next(ways, clause.typed)
    text = f"“{written(way.text)}”"
    return text if way.kind is Kind.TYPED else f"{text} (for “{written(clause.typed.text)}”)"


# What each clause adds, and what the document adds as a whole; the order is that of `Scorer._values`.
_CLAUSE_LABELS = ("{} in the texts, by how rare and how frequent it is", "{} as it was typed", "{} in the title")
_LABELS = (
    "how much of the title was asked for",
    "the title begins with the search",
    "the title is the search",
    "words near each other",
    "popularity and recency",
)


def _find(text: str, needles: Sequence[_Needle]) -> list[tuple[int, str]]:
    """Where words stand in a text, in order."""
    found: dict[int, str] = {}
    for needle, word in needles:
        start = text.find(needle)
        while start >= 0:
            # The next word begins with the blank that ends this one.
            end = text.index(" ", start + 1)
            found[start] = word or text[start + 1 : end]
            start = text.find(needle, end)
    return sorted(found.items()) if len(needles) > 1 else list(found.items())
