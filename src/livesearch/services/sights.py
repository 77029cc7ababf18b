"""What a viewer sees of a collection: its documents as if those that are hidden from them did not exist.

Not only hits leave the others out: counts, lengths and frequencies that scores and corrections are made from do too.
Where everybody sees everything none of this is made.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import NUMERIC_ROLES, Collection, Viewer
from livesearch.search import keys
from livesearch.search.cursors import START, Cursor
from livesearch.search.histograms import Bins
from livesearch.search.indexing import IndexSchema
from livesearch.search.visibility import names_granted
from livesearch.search.vocabulary import Vocabulary
from livesearch.services.columns import Columns
from livesearch.services.history import Past
from livesearch.store.documents import load_documents
from livesearch.store.postings import TERM_LENGTHS, chunks_of, load_postings, load_range

# Documents of a collection in which words are counted anew for each group of viewers and each version: 0.1 s of work.
# In larger ones how frequent words are is told of all documents, which can shift what is corrected to what; a word that
# stands in hidden documents alone is not offered there either. How long documents are is told of so many that are seen.
_COUNTED, _MEASURED = 5_000, 64
# Groups of viewers whose view is kept, each at most a few megabytes.
_KEPT_COUNT = 32


@dataclass(slots=True)
class Sight:
    """What some viewers see of one version of a collection.

    Attributes:
        collection: With the counts of what they see.
        documents: What they see; not to be changed.
        words: Of what they see; None where that was not counted, or not asked for.
        columns: Of the numbers they see, as far as they were asked for.
        is_measured: Whether the words of what they see were counted.
    """

    collection: Collection
    documents: BitMap
    words: Vocabulary | None = None
    columns: Columns | None = None
    is_measured: bool = False

    def of(self, collection: Collection) -> Collection:
        """The same version of the collection, however it is tuned, with the counts of what is seen."""
        return replace(_counted(collection, self.documents), token_count=self.collection.token_count)

    async def seen(self, columns: Columns) -> Columns:
        """Columns whose ranges and histograms tell of no other documents."""
        if self.columns is None or self.columns.bins.keys() < columns.bins.keys():
            self.columns = await asyncio.to_thread(_seen, columns, self.collection, self.documents)
        return replace(columns, numbers={**columns.numbers, **self.columns.numbers}, bins=self.columns.bins)


def _seen(columns: Columns, collection: Collection, documents: BitMap) -> Columns:
    fields = [field for field in collection.by_role(*NUMERIC_ROLES) if field.name in columns.bins]
    numbers = {field.name: columns.numbers[field.name].within(documents) for field in fields}
    return replace(columns, numbers=numbers, bins={field.name: Bins.of(field, numbers[field.name]) for field in fields})


def outward(cursor: Cursor, sight: Sight | None) -> Cursor:
    """A cursor as it is given away: a document's number would tell how many others there are."""
    if sight is None or cursor.number == START.number:
        return cursor
    return replace(cursor, number=sight.documents.rank(cursor.number) - 1)


def inward(cursor: Cursor | None, sight: Sight | None) -> Cursor | None:
    """A cursor as it came back from outside."""
    if cursor is None or sight is None or cursor.number == START.number:
        return cursor
    is_there = cursor.number < len(sight.documents)
    return replace(cursor, number=sight.documents[cursor.number] if is_there else START.number)


async def visible_documents(conn: AsyncConnection, collection: Collection, viewer: Viewer) -> BitMap | None:
    """The documents that a viewer may see, by their numbers; None where those are all.

    This is where sets of documents are held to the rule; `search.visibility.may_see` holds a single one to it.
    """
    granted = names_granted(collection.settings.visibility, viewer)
    if granted is None:
        return None
    return await _opened(conn, collection, granted)


async def _opened(
    conn: AsyncConnection, collection: Collection, names: frozenset[str], past: Past | None = None
) -> BitMap:
    field = collection.settings.visibility.field
    if not names or field is None:
        return BitMap()
    wanted = {keys.opened(field, name) for name in names}
    found = await load_postings(conn, collection.id, wanted, chunks_of(collection.next_number))
    found = past.postings.of(wanted, found) if past else found
    return BitMap.union(BitMap(), *found.values())


async def seen_by(conn: AsyncConnection, collection: Collection, viewer: Viewer) -> Collection:
    """The collection with the counts of what a viewer sees."""
    documents = await visible_documents(conn, collection, viewer)
    return collection if documents is None else _counted(collection, documents)


def _counted(collection: Collection, documents: BitMap) -> Collection:
    # Why a role was inferred is told with figures of all rows.
    fields = tuple(replace(field, reason="") for field in collection.fields)
    mean_length = collection.token_count / max(collection.document_count, 1)
    count = len(documents)
    return replace(collection, fields=fields, document_count=count, token_count=round(count * mean_length))


class SightCache:
    """What groups of viewers see, by collection. The version in the caller's own snapshot decides what is true."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, frozenset[str]], Sight] = OrderedDict()

    async def get(
        self,
        conn: AsyncConnection,
        collection: Collection,
        viewer: Viewer,
        *,
        with_words: bool,
        past: Past | None = None,
    ) -> Sight | None:
        """What a viewer sees; None where that is everything.

        Args:
            with_words: Whether words will be looked for.
            past: To tell what they saw; words are then those of all documents.
        """
        granted = names_granted(collection.settings.visibility, viewer)
        if granted is None:
            return None
        if past is not None:
            documents = await _opened(conn, collection, granted, past)
            return Sight(_counted(collection, documents), documents)
        key = collection.id, granted
        kept = self._kept.get(key)
        if kept is None or kept.collection.version != collection.version:
            documents = await _opened(conn, collection, granted)
            kept = Sight(_counted(collection, documents), documents)
        if with_words and not kept.is_measured:
            await (_count_words if collection.document_count <= _COUNTED else _measure)(conn, kept)
            kept.is_measured = True
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT_COUNT:
            self._kept.popitem(last=False)
        return kept


async def _count_words(conn: AsyncConnection, sight: Sight) -> None:
    """Count the words of what is seen; see `store.postings.IndexDelta`, which counts those of all documents."""
    collection, chunks = sight.collection, chunks_of(sight.collection.next_number)
    held = await load_range(conn, collection.id, keys.WORD_RANGE, chunks) if sight.documents else {}
    exempt = await load_range(conn, collection.id, keys.EXEMPT_RANGE, chunks) if held else {}
    words, token_count = await asyncio.to_thread(_words_of, held, exempt, sight)
    sight.collection = replace(collection, token_count=token_count)
    sight.words = words


async def _measure(conn: AsyncConnection, sight: Sight) -> None:
    """Tell how long the documents that are seen are, by some of them."""
    some = list(sight.documents[:: len(sight.documents) // _MEASURED + 1])
    schema = IndexSchema.of(sight.collection)
    loaded = (await load_documents(conn, sight.collection, some)).values()
    words = [len({*schema.title_terms(document), *schema.text_terms(document)}) for _, document in loaded]
    token_count = round(sum(words) / max(len(words), 1) * len(sight.documents))
    sight.collection = replace(sight.collection, token_count=token_count)


def _words_of(held: dict[str, BitMap], exempt: dict[str, BitMap], sight: Sight) -> tuple[Vocabulary, int]:
    documents, collection = sight.documents, sight.collection
    counts = {key[1:]: bitmap.intersection_cardinality(documents) for key, bitmap in held.items()}
    for key, bitmap in exempt.items():
        counts[key[1:]] -= bitmap.intersection_cardinality(documents)
    token_count = sum(bitmap.intersection_cardinality(documents) for bitmap in held.values())
    terms = sorted(term for term, count in counts.items() if count and len(term) in TERM_LENGTHS and term.isalpha())
    frequencies = np.array([counts[term] for term in terms], np.uint32)
    language = collection.settings.language
    return Vocabulary.build(" ".join(terms), frequencies, version=collection.version, language=language), token_count
