"""From documents to postings: which keys a document has, and what a batch of documents changes."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, groupby, pairwise
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livesearch.domain import PUBLIC, Collection, Document, PostingChange, Role, VisibilityRule
from livesearch.search import keys
from livesearch.search.analysis import spaced, spaced_title, split_spaced, title_terms, words
from livesearch.search.values import is_searched, texts
from livesearch.search.visibility import names_of


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """The names of fields by what the index does with them.

    Attributes:
        exempt_names: Those of titles and texts whose words never stand for misspelled ones.
        key_field: The field that tells documents apart, if there is one.
        rule: Says which field tells whom documents are open to; a rule without a field is as good as none.
    """

    title_names: tuple[str, ...]
    text_names: tuple[str, ...]
    facet_names: tuple[str, ...]
    exempt_names: tuple[str, ...] = ()
    key_field: str | None = None
    rule: VisibilityRule = PUBLIC

    @classmethod
    def of(cls, collection: Collection) -> "IndexSchema":
        """The index's view of a collection's fields."""
        return cls(
            tuple(f.name for f in collection.by_role(Role.TITLE)),
            tuple(f.name for f in collection.fields if f.role is not Role.TITLE and is_searched(f)),
            tuple(f.name for f in collection.by_role(Role.FACET)),
            tuple(f.name for f in collection.fields if not f.is_typo_tolerant and is_searched(f)),
            collection.key_field,
            collection.settings.visibility if collection.settings.visibility.field else PUBLIC,
        )

    @property
    def tolerant(self) -> "IndexSchema":
        """The same without the exempt fields."""
        title_names, text_names = (
            tuple(name for name in names if name not in self.exempt_names)
            for names in (self.title_names, self.text_names)
        )
        return IndexSchema(title_names, text_names, self.facet_names)

    def title_terms(self, document: Document) -> list[str]:
        """Terms of the title fields, repeats included."""
        return title_terms(_joined(document, self.title_names))

    def text_terms(self, document: Document) -> list[str]:
        """Terms of the other searched fields, repeats included."""
        return words(_joined(document, self.text_names))

    def written_words(self, document: Document) -> set[str]:
        """The words that stand in the searched fields as they are."""
        return set(words(_joined(document, (*self.title_names, *self.text_names))))

    def facet_keys(self, document: Document) -> set[str]:
        """Keys of the facet values, of whom the document is open to, and the key of all documents."""
        found = {keys.facet(name, value) for name in self.facet_names for value in texts(document.get(name)) if value}
        found.add(keys.ALL)
        if self.rule.field:
            found.update(keys.opened(self.rule.field, name) for name in names_of(self.rule, document))
        return found


def _joined(document: Document, names: Iterable[str]) -> str:
    """The texts of some fields, a line each: words never run together across fields."""
    parts: list[str] = []
    for name in names:
        value: Any = document.get(name)  # Any: a JSON value
        if type(value) is str:  # the common case, without a call
            parts.append(value)
        elif value is not None:
            parts.extend(texts(value))
    return "\n".join(parts)


def document_keys(document: Document, schema: IndexSchema) -> set[str]:
    """Every posting key of one document."""
    found = schema.facet_keys(document)
    titled = set(schema.title_terms(document))
    for in_title, group in ((False, titled.union(schema.text_terms(document))), (True, titled)):
        found.update(map(keys.word("", in_title=in_title).__add__, group))
        # Many words begin alike: what is taken once is put together once.
        starts = {term[:length] for length in range(1, keys.PREFIX_LENGTH + 1) for term in group}
        found.update(map(keys.prefix("", in_title=in_title).__add__, starts))
    if schema.exempt_names:
        tolerant = schema.tolerant
        corrected = {*tolerant.title_terms(document), *tolerant.text_terms(document)}
        found.update(keys.exempt(term) for term in titled.union(schema.text_terms(document)) - corrected)
    return found


def change_document(
    number: int, before: Document | None, after: Document | None, schema: IndexSchema
) -> list[PostingChange]:
    """What the change of one document does to postings, in the order of keys: only the keys that differ are touched.

    What a ``PostingsBatch`` with this change alone would give, in half of the time.

    Args:
        before: None for a new document.
        after: None for one that goes.
    """
    low = (number & 0xFFFF).to_bytes(2, "little")
    old, new = (set[str]() if document is None else document_keys(document, schema) for document in (before, after))
    return [
        PostingChange(key, added=low) if key in new else PostingChange(key, removed=low) for key in sorted(old ^ new)
    ]


# New documents are split into words together, as soon as they are so many or have so many bytes: a call for each
# costs three times as much.
_READ_COUNT, _READ_SIZE = 1_000, 1_000_000
# Stands between documents; sorts before every key, and no word or facet value holds it.
_END = b"\x1e"
_BETWEEN = b" " + _END + b" "


class PostingsBatch:
    """Collects the postings of a batch of documents of one chunk; the batch is then written key by key.

    New documents go through numpy: each occurrence of a term is one 64-bit number, term above document, and one sort
    gives every posting in order.
    """

    def __init__(self, schema: IndexSchema, chunk: int) -> None:
        self.schema = schema
        self.chunk = chunk
        self._text = _Occurrences()
        self._title = _Occurrences()
        self._facets = _Occurrences()
        # Those of the text that stand in fields whose words may stand for misspelled ones; nothing where all do.
        self._tolerant_schema = schema.tolerant if schema.exempt_names else None
        self._tolerant = _Occurrences(self._text.ids)
        # By key and document, whether the document has the key in the end.
        self._edits: defaultdict[str, dict[int, bool]] = defaultdict(dict)
        self._has_additions = False
        self._begin_reading()

    def _begin_reading(self) -> None:
        # New documents whose words are not yet taken apart, and the bytes they have.
        self._numbers: list[int] = []
        self._titles: list[bytes] = []
        self._texts: list[bytes] = []
        self._tolerant_texts: list[bytes] = []
        self._facet_keys: list[bytes] = []
        self._size = 0

    def add(self, number: int, document: Document) -> None:
        """Take in a new document under its number."""
        self._has_additions = True
        title, text = _spaced_texts(document, self.schema)
        self._numbers.append(number & 0xFFFF)
        self._titles.append(title)
        self._texts.append(title + b" " + text)
        if self._tolerant_schema:
            self._tolerant_texts.append(b" ".join(_spaced_texts(document, self._tolerant_schema)))
        self._facet_keys += [key.encode() for key in self.schema.facet_keys(document)]
        self._facet_keys.append(_END)
        self._size += len(text)
        if len(self._numbers) >= _READ_COUNT or self._size >= _READ_SIZE:
            self._read()

    def _read(self) -> None:
        lows = np.array(self._numbers, np.int64)
        self._title.add(lows, split_spaced(_BETWEEN.join(self._titles)))
        self._text.add(lows, split_spaced(_BETWEEN.join(self._texts)))
        if self._tolerant_schema:
            self._tolerant.add(lows, split_spaced(_BETWEEN.join(self._tolerant_texts)))
        self._facets.add(lows, self._facet_keys)
        self._begin_reading()

    def replace(self, number: int, old: Document, new: Document) -> None:
        """Change a document: only the keys that differ are touched."""
        before, after = document_keys(old, self.schema), document_keys(new, self.schema)
        for key in after ^ before:
            self._edits[key][number] = key in after

    def remove(self, number: int, document: Document) -> None:
        """Take a document out."""
        for key in document_keys(document, self.schema):
            self._edits[key][number] = False

    def changes(self) -> Iterator[PostingChange]:
        """Every posting the batch touches, each once, in the order of keys."""
        if not self._edits:
            yield from self._additions()
            return
        edited = (PostingChange(key) for key in sorted(self._edits))
        # Without new documents their part would be calls of numpy for nothing.
        changes = heapq.merge(self._additions(), edited, key=_KEY) if self._has_additions else edited
        for key, found in groupby(changes, key=_KEY):
            change = next(found)
            yield _edited(change, self._edits[key]) if key in self._edits else change

    def _additions(self) -> Iterator[PostingChange]:
        """The postings of new documents; families in the order of their letters."""
        self._read()
        text, title = self._text.pairs(), self._title.pairs()
        yield from self._facets.changes("")
        yield from self._text.prefix_changes(text, keys.prefix("", in_title=False))
        yield from self._title.prefix_changes(title, keys.prefix("", in_title=True))
        yield from _changes_of(title, self._title.names(keys.word("", in_title=True)))
        yield from _changes_of(text, self._text.names(keys.word("", in_title=False)))
        if self._tolerant_schema:
            exempt = np.setdiff1d(text, self._tolerant.pairs(), assume_unique=True)
            yield from _changes_of(exempt, self._text.names(keys.exempt("")))


def _spaced_texts(document: Document, schema: IndexSchema) -> tuple[bytes, bytes]:
    """The terms of a document's titles, and the words of its other searched fields."""
    return spaced_title(_joined(document, schema.title_names)), spaced(_joined(document, schema.text_names))


_KEY = attrgetter("key")


def _edited(change: PostingChange, edits: Mapping[int, bool]) -> PostingChange:
    """The change of new documents together with what edits do to the same key; a new document can be edited too."""
    removed = {number & 0xFFFF for number, is_held in edits.items() if not is_held}
    added = {number & 0xFFFF for number, is_held in edits.items() if is_held}
    if change.added:
        added.update(np.frombuffer(change.added, "<u2").tolist())
    return PostingChange(change.key, _low_bytes(added - removed), _low_bytes(removed))


def _low_bytes(lows: Iterable[int]) -> bytes:
    return b"".join([low.to_bytes(2, "little") for low in sorted(lows)])


class _Occurrences:
    """Which terms stand in which documents, as numbers: a term's in the high bits, 16 bits of the document's below."""

    def __init__(self, ids: defaultdict[bytes, int] | None = None) -> None:
        # A term's number is given at its first look-up, without a Python call. Those of a part are those of the whole.
        self.ids = defaultdict(count(1).__next__, {_END: 0}) if ids is None else ids
        self._packed: list[NDArray[np.int64]] = [np.empty(0, np.int64)]

    def add(self, lows: NDArray[np.int64], terms: list[bytes]) -> None:
        """Take in documents: the low bits of their numbers, and their terms with ``_END`` between documents."""
        ids = np.fromiter(map(self.ids.__getitem__, terms), np.int64, len(terms))
        is_end = ids == 0
        documents = np.cumsum(is_end)[~is_end]
        self._packed.append(_sorted_unique(ids[~is_end] << 16 | lows[documents]))

    def names(self, family: str) -> list[str]:
        """The keys of all terms, in order; the first is none."""
        return [family + term.decode() for term in sorted(self.ids)]

    def pairs(self) -> NDArray[np.int64]:
        """Each (term, document) once, sorted; terms are numbered by their place in ``names``. Takes them out."""
        ranks = np.empty(len(self.ids), np.int64)
        in_order = np.fromiter(map(self.ids.__getitem__, sorted(self.ids)), np.int64, len(self.ids))
        ranks[in_order] = np.arange(len(self.ids))
        pairs = np.concatenate(self._packed)
        self._packed = []
        return _renumbered(pairs, ranks)

    def changes(self, family: str) -> Iterator[PostingChange]:
        """A change for each term, in the order of keys."""
        return _changes_of(self.pairs(), self.names(family))

    def prefix_changes(self, pairs: NDArray[np.int64], family: str) -> Iterator[PostingChange]:
        """A change for each beginning of 1 to 4 letters, in the order of keys."""
        starts = self.names("")
        rounds = []
        # From long to short: each round has less to sort. A word shorter than this begins the next round whole.
        for length in range(keys.PREFIX_LENGTH, 0, -1):
            # Terms in order have their beginnings in order: equal ones stand together.
            shortened = [start[:length] for start in starts]
            starts = list(dict.fromkeys(shortened))
            is_next = np.fromiter((a != b for a, b in pairwise(shortened)), np.int64, max(len(shortened) - 1, 0))
            ranks = np.concatenate((np.zeros(1, np.int64), np.cumsum(is_next)))
            pairs = _renumbered(pairs, ranks)
            names = [family + start if len(start) == length else "" for start in starts]
            rounds.append(_changes_of(pairs, names))
        return heapq.merge(*rounds, key=_KEY)


def _renumbered(pairs: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pairs with the rank of each term in its place, sorted, each once. In place: a batch has 16 MB of pairs."""
    found = ranks[pairs >> 16]
    found <<= 16
    found |= pairs & 0xFFFF
    return _sorted_unique(found)


def _sorted_unique(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    pairs.sort()
    keep = np.empty(len(pairs), np.bool_)
    keep[:1] = True
    np.not_equal(pairs[1:], pairs[:-1], out=keep[1:])
    return pairs[keep]


def _changes_of(pairs: NDArray[np.int64], names: list[str]) -> Iterator[PostingChange]:
    """One change for each term of the sorted pairs; terms with an empty name are passed over."""
    terms = pairs >> 16
    starts = np.concatenate((np.zeros(min(len(pairs), 1), np.int64), np.flatnonzero(terms[1:] != terms[:-1]) + 1))
    bounds = [*(2 * starts).tolist(), 2 * len(pairs)]
    term_ids = terms[starts].tolist()
    del terms
    # Two bytes a number from here on: a generator that waits its turn must not hold 32 MB of pairs.
    return _slices((pairs & 0xFFFF).astype("<u2").tobytes(), [names[term_id] for term_id in term_ids], bounds)


def _slices(raw: bytes, names: list[str], bounds: list[int]) -> Iterator[PostingChange]:
    """A change for each name that is none but empty: its bytes stand between two bounds."""
    return (
        PostingChange(name, raw[begin:end]) for name, begin, end in zip(names, bounds, bounds[1:], strict=False) if name
    )


class ValuesBatch:
    """Collects the numbers of a batch of documents, field by field."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, dict[int, float]] = defaultdict(dict)

    def put(self, number: int, values: Mapping[str, float | None]) -> None:
        """Set a document's numbers; None where it has none."""
        for name, value in values.items():
            self._numbers[name][number] = float("nan") if value is None else value

    def changes(self) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float64]]]:
        """By field: document numbers, and the values to set at them."""
        for name, numbers in self._numbers.items():
            yield (
                name,
                np.fromiter(numbers.keys(), np.int64, len(numbers)),
                np.fromiter(numbers.values(), np.float64, len(numbers)),
            )
