"""Suggestions while one types: how the last word may go on, and where one may be going."""

import unicodedata
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, SearchQuery, Segment, Suggestion
from livesearch.search import keys
from livesearch.search.analysis import WORD, words
from livesearch.search.indexing import IndexSchema
from livesearch.search.matching import Postings, match, needs
from livesearch.search.query import QUERY_LENGTH, ParsedQuery, Term, parse_query
from livesearch.search.suggesting import complete
from livesearch.services.collections import require_collection
from livesearch.services.search import SearchService
from livesearch.services.transactions import Transactions
from livesearch.store.documents import load_documents
from livesearch.store.postings import chunks_of, load_postings, most_held

# Words looked at: those that most documents hold. Which of them fit the other words is then counted exactly.
_WORD_COUNT = 30
# Documents among the suggestions.
_DOCUMENT_COUNT = 3


class SuggestionService:
    """Completes what is being typed."""

    def __init__(self, transactions: Transactions, search: SearchService) -> None:
        self._transactions = transactions
        self._search = search

    async def suggest(self, name: str, text: str, *, limit: int = 8) -> tuple[Suggestion, ...]:
        """Completions of the last word that some document fits, then the best documents.

        Args:
            limit: Suggestions at most; up to 3 of them are documents.

        Returns:
            Nothing for a text without a word.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        # Composed, so that an accent stands with its letter; cut where a query is cut.
        text = unicodedata.normalize("NFC", text)[:QUERY_LENGTH]
        parsed = parse_query(text)
        if not parsed.terms:
            return ()
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            completions = await self._completions(conn, collection, text, parsed)
        page = await self._search.search(name, SearchQuery(text=text, page_size=_DOCUMENT_COUNT), with_facets=False)
        documents = tuple(
            Suggestion("".join(segment.text for segment in hit.title), hit.title, hit.key) for hit in page.hits
        )
        return completions[: limit - len(documents)] + documents

    async def _completions(
        self, conn: AsyncConnection, collection: Collection, text: str, parsed: ParsedQuery
    ) -> tuple[Suggestion, ...]:
        last, chunks = parsed.terms[-1], chunks_of(collection.next_number)
        typed = [found.start() for found in WORD.finditer(text)]
        # A sign such as “™” is a word to the search, but there is no word to go on typing.
        if not last.is_prefix or not typed or words(text[typed[-1] :])[-1:] != [last.text]:
            return ()
        before = text[: typed[-1]]
        found: list[str] = []
        for in_title in (True, False):
            if not found:
                key_range = keys.word_range(last.text, in_title=in_title)
                found = [key[1:] for key in await most_held(conn, collection.id, key_range, chunks, _WORD_COUNT)]
        context = ParsedQuery(parsed.terms[:-1])
        wanted = needs(context, {}).keys | {keys.word(term, in_title=False) for term in found}
        postings = Postings(await load_postings(conn, collection.id, wanted, chunks))
        terms = await self._written(conn, collection, complete(found, match(context, postings).all, postings))
        return tuple(_completion(before, last, term) for term in terms)

    @staticmethod
    async def _written(conn: AsyncConnection, collection: Collection, examples: Mapping[str, int]) -> list[str]:
        """The terms that stand so in their document: “F-16” is found by f16, but nobody writes it so."""
        documents = await load_documents(conn, collection.id, set(examples.values()))
        schema = IndexSchema.of(collection)
        return [term for term, number in examples.items() if term in schema.written_words(documents[number][1])]


def _completion(before: str, last: Term, term: str) -> Suggestion:
    """What was typed with its last word finished; the part that was typed is told apart."""
    segments = (Segment(before), Segment(last.text, is_match=True), Segment(term[len(last.text) :]))
    return Suggestion(before + term, tuple(segment for segment in segments if segment.text))
