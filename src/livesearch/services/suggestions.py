"""Suggestions while one types: how the last word may go on, and where one may be going."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ANYBODY, Collection, Hit, SearchQuery, Suggestion, Viewer
from livesearch.search import keys
from livesearch.search.analysis import words
from livesearch.search.indexing import IndexSchema
from livesearch.search.matching import Postings
from livesearch.search.query import QUERY_LENGTH, parse_query
from livesearch.search.suggesting import (
    complete,
    completion,
    densest_chunks,
    unfinished_word,
    without_unwritten,
    written_words,
)
from livesearch.services.finding import Found
from livesearch.services.opening import open_collection
from livesearch.services.search import SearchService
from livesearch.services.transactions import Transactions
from livesearch.store.documents import load_documents
from livesearch.store.postings import chunks_of, load_postings, load_range, most_held

# Documents that are read to see how the word may go on, where no more than these fit: 2 ms of work.
_READ_COUNT = 50
# Otherwise, words looked at: those that most documents hold, and those in the titles of the best documents.
_WORD_COUNT, _HIT_COUNT = 30, 10
# Chunks in which it is counted how many documents hold a word, those with most documents that fit: exact up to 262,144
# documents. A range of words that begin so is looked through in fewer.
_COUNT_CHUNKS, _RANGE_CHUNKS = 8, 3
# The tiers of documents that hold every word as it was typed; what follows is found by words that were not.
_TIER_COUNT = 4
# Completions and documents among the suggestions.
_COMPLETION_COUNT, _DOCUMENT_COUNT = 5, 3


class SuggestionService:
    """Completes what is being typed."""

    def __init__(self, transactions: Transactions, search: SearchService) -> None:
        self._transactions = transactions
        self._search = search

    async def suggest(
        self, name: str, text: str, *, viewer: Viewer = ANYBODY, limit: int = 8
    ) -> tuple[Suggestion, ...]:
        """Completions of the last word that some document fits, then the best documents; what the viewer may see.

        Args:
            limit: Suggestions at most; up to 3 of them are documents.

        Returns:
            Nothing for a text without a word.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        # Composed, so that an accent stands with its letter; cut where a query is cut.
        text = unicodedata.normalize("NFC", text)[:QUERY_LENGTH]
        async with open_collection(self._transactions, name) as (conn, collection):
            parsed = parse_query(text, collection)
            if parsed.is_empty:
                return ()
            query = SearchQuery(text, page_size=_HIT_COUNT)
            found, hits = await self._search.first(conn, collection, query, viewer)
            typed = unfinished_word(text, parsed)
            terms = await self._terms(conn, found, typed.text, hits) if typed else []
        documents = tuple(Suggestion(_title(hit), hit.title, hit.key) for hit in hits[:_DOCUMENT_COUNT])
        completions = tuple(completion(text, typed, term) for term in terms[:_COMPLETION_COUNT] if typed)
        return completions[: limit - len(documents)] + documents

    async def _terms(self, conn: AsyncConnection, found: Found, start: str, hits: Sequence[Hit]) -> list[str]:
        """The words that begin so and may be meant, best first."""
        collection, fitting = found.collection, BitMap.union(BitMap(), *found.match.tiers[:_TIER_COUNT])
        schema = _readable(collection)
        if len(fitting) <= _READ_COUNT:
            documents = await load_documents(conn, collection, fitting)
            return written_words((document for _, document in documents.values()), schema, start)
        chunks = densest_chunks(fitting, chunks_of(collection.next_number), _COUNT_CHUNKS)
        terms = {word for hit in hits for word in words(_title(hit)) if word.startswith(start)}
        terms |= set(await self._frequent(conn, found, start, chunks))
        terms.discard(start)
        wanted = {keys.word(term, in_title=in_title) for term in terms for in_title in (False, True)}
        postings = Postings(await load_postings(conn, collection.id, wanted, chunks))
        examples = complete(terms, fitting, postings, limit=2 * _COMPLETION_COUNT)
        loaded = await load_documents(conn, collection, {number for numbers in examples.values() for number in numbers})
        return without_unwritten(examples, {number: document for number, (_, document) in loaded.items()}, schema)

    @staticmethod
    async def _frequent(conn: AsyncConnection, found: Found, start: str, chunks: Sequence[int]) -> list[str]:
        """Words that begin so and that many documents hold."""
        if start.isalpha():
            return found.vocabulary.beginning(start, _WORD_COUNT) if found.vocabulary else []
        # The vocabulary has no words with digits; but few words go on from where a digit was typed.
        key_range = keys.word_range(start, in_title=False)
        chunks = chunks[:_RANGE_CHUNKS]
        if found.sight is None:
            most = await most_held(conn, found.collection.id, key_range, chunks, _WORD_COUNT)
        else:
            held = await load_range(conn, found.collection.id, key_range, chunks)
            counts = {key: bitmap.intersection_cardinality(found.sight.documents) for key, bitmap in held.items()}
            most = sorted(counts, key=lambda key: (-counts[key], key))[:_WORD_COUNT]
        return [key[1:] for key in most]


def _readable(collection: Collection) -> IndexSchema:
    """The fields whose words are offered: keys are for machines, except where rows have no other name."""
    schema = IndexSchema.of(collection)
    if not schema.title_names:
        return schema
    return replace(schema, text_names=tuple(name for name in schema.text_names if name != collection.key_field))


def _title(hit: Hit) -> str:
    return "".join(segment.text for segment in hit.title)
