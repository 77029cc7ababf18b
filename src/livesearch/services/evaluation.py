"""Measuring relevance: judged queries against a collection as it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from livesearch.domain import OPERATOR, ResultPage, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.search.metrics import Metric, beginnings
from livesearch.services.collections import require_collection
from livesearch.services.judgments import JudgedQuery
from livesearch.services.search import SearchService
from livesearch.services.transactions import Transactions
from livesearch.store.documents import find_stored

# Hits one search can give.
_PAGE_SIZE = 100
# Keys looked up by one statement.
_KEY_COUNT = 500
# What a person sees of a list while typing.
TOP = 5

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class QueryEvaluation:
    """How one query did.

    Attributes:
        metrics: By name; empty where nothing relevant was judged, for then no ranking is better than another.
        typed_share: The share of its text typed until a document of the best grade was in the top 5, 1.0 if never;
            None where it was not measured.
        corrected_query: What was searched instead, where words were taken for misspelled.
    """

    id: str
    text: str
    total: int
    metrics: Mapping[str, float]
    typed_share: float | None
    corrected_query: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the queries did, on average.

    Attributes:
        missing_count: Judged documents that the collection does not have; they count as not found.
    """

    collection: str
    queries: tuple[QueryEvaluation, ...]
    missing_count: int = 0

    @property
    def judged_count(self) -> int:
        """Queries with something relevant: those that metrics are averages of."""
        return sum(bool(query.metrics) for query in self.queries)

    @property
    def metrics(self) -> dict[str, float]:
        """Means by metric."""
        judged = [query.metrics for query in self.queries if query.metrics]
        return {name: fmean(metrics[name] for metrics in judged) for name in judged[0]} if judged else {}

    @property
    def typed_share(self) -> float | None:
        """Mean share of the text typed; None where it was not measured."""
        shares = [query.typed_share for query in self.queries if query.typed_share is not None]
        return fmean(shares) if shares else None

    @property
    def zero_result_rate(self) -> float:
        """The share of queries that found nothing."""
        return fmean(query.total == 0 for query in self.queries)

    @property
    def corrected_rate(self) -> float:
        """The share of queries in which a word was taken for misspelled."""
        return fmean(query.corrected_query is not None for query in self.queries)


class EvaluationService:
    """Asks what was judged, and compares."""

    def __init__(self, transactions: Transactions, search: SearchService) -> None:
        self._transactions = transactions
        self._search = search

    async def evaluate(
        self,
        name: str,
        queries: Sequence[JudgedQuery],
        metrics: Sequence[Metric],
        *,
        is_typed: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Search a collection for every query and measure what it finds.

        Args:
            queries: At least one.
            is_typed: Each is also typed letter by letter, which takes a search a letter.
            on_progress: Called after each query with the number done.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: There is no query, or the collection has none of the judged documents.
            QueryTimeoutError: A search took longer than the setting `query_timeout_ms`.
        """
        if not queries:
            raise InvalidInputError("There is no query to evaluate.")
        missing_count = await self._count_missing(name, {key for query in queries for key in query.grades})
        done: list[QueryEvaluation] = []
        for query in queries:
            done.append(await self._evaluate(name, query, metrics, is_typed=is_typed))
            if on_progress:
                on_progress(len(done))
        return Evaluation(name, tuple(done), missing_count)

    async def _count_missing(self, name: str, keys: set[str]) -> int:
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            ordered = sorted(keys)
            stored_count = 0
            for start in range(0, len(ordered), _KEY_COUNT):
                stored_count += len(await find_stored(conn, collection.id, ordered[start : start + _KEY_COUNT]))
        if not stored_count:
            raise InvalidInputError(
                f"“{name}” has none of the {len(keys):,} judged documents, as “{ordered[0]}”. Judgments name documents"
                f" by their keys; the key of “{name}” is {collection.key_field or 'a hash of the row'}. Import the rows"
                " again with --key and the field that the judgments use."
            )
        return len(keys) - stored_count

    async def _evaluate(
        self, name: str, query: JudgedQuery, metrics: Sequence[Metric], *, is_typed: bool
    ) -> QueryEvaluation:
        # A blank at the end says that the last word is whole: what was judged was a query, not a keystroke.
        first, ranking = await self._rank(name, f"{query.text.strip()} ", max(metric.depth for metric in metrics))
        return QueryEvaluation(
            query.id,
            query.text,
            first.total,
            {metric.name: metric.value(ranking, query.grades) for metric in metrics} if query.has_relevant else {},
            await self.typed_share(name, query.text, query.best) if is_typed and query.has_relevant else None,
            first.corrected_query,
        )

    async def _rank(self, name: str, text: str, depth: int) -> tuple[ResultPage, list[str]]:
        """The first page, and the keys of the first ``depth`` hits."""
        size = min(depth, _PAGE_SIZE)
        first = await self._search_once(name, SearchQuery(text, page_size=size))
        ranking = [hit.key for hit in first.hits]
        number, page = 1, first
        while len(ranking) < depth and len(page.hits) == size:
            number += 1
            page = await self._search_once(name, SearchQuery(text, page=number, page_size=size))
            ranking += [hit.key for hit in page.hits]
        return first, ranking

    async def typed_share(self, name: str, text: str, wanted: frozenset[str]) -> float:
        """Type a text letter by letter until a wanted document is in the top 5.

        Args:
            wanted: Keys of the documents, any of which will do.

        Returns:
            The share of the text typed by then; 1.0 if it never is.
        """
        for typed in (all_typed := beginnings(text)):
            page = await self._search_once(name, SearchQuery(typed, page_size=TOP))
            if any(hit.key in wanted for hit in page.hits):
                return len(typed) / len(all_typed)
        return 1.0

    async def _search_once(self, name: str, query: SearchQuery) -> ResultPage:
        return await self._search.search(name, query, viewer=OPERATOR, with_facets=False)
