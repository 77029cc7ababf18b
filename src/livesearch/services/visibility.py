"""Who may see which rows of a collection: shown and changed."""

from dataclasses import replace

from livesearch.domain import CHUNK_BITS, PUBLIC, Collection, UserRole, VisibilityRule, VisibleTo
from livesearch.errors import ConflictError, InvalidInputError
from livesearch.search.keys import OPENED_RANGE
from livesearch.services.opening import require_collection
from livesearch.services.reindexing import Later, ReindexingService, Watcher
from livesearch.services.transactions import Transactions
from livesearch.services.tuning import changing
from livesearch.store.postings import chunks_of, clear_range
from livesearch.store.settings import save_ranking


class VisibilityService:
    """Shows and changes the rule of visibility of a collection."""

    def __init__(self, transactions: Transactions, reindexing: ReindexingService) -> None:
        self._transactions = transactions
        self._reindexing = reindexing

    async def get(self, name: str) -> VisibilityRule:
        """The rule of a collection.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            return (await require_collection(conn, name)).settings.visibility

    async def change(
        self, name: str, rule: VisibilityRule, *, on_progress: Watcher | None = None, later: Later | None = None
    ) -> VisibilityRule:
        """Give a collection another rule. It holds at once: rows that the index does not know as open yet are hidden.

        For a rule with a field the index is then made anew, chunk by chunk, before this returns.

        Args:
            on_progress: Called after each chunk. Whoever gives it has the time to wait for all of them.
            later: As for `RankingService.change`.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: The rule lacks its role or field, or there is no such field.
            ConflictError: The index must be made anew, is larger than a chunk, and nobody waits for it.
        """
        async with changing(self._transactions, name) as (conn, collection):
            rule = _checked(collection, rule)
            is_patient = on_progress is not None
            # Also where the rule stays as it is: making the index anew may have been interrupted.
            must_reindex = rule.field is not None and (is_patient or rule != collection.settings.visibility)
            if must_reindex and later:
                await later(conn)
            elif must_reindex and not is_patient and collection.document_count > 1 << CHUNK_BITS:
                raise ConflictError(
                    f"The index of {collection.document_count:,} documents is not made anew so quickly. Run"
                    f" `livesearch visibility {name} …` beside the server; until it is done, rows are hidden."
                )
            if rule != collection.settings.visibility:
                # What an earlier rule opened must open nothing under this one, however the two are alike.
                await clear_range(conn, collection.id, OPENED_RANGE, chunks_of(collection.next_number))
            await save_ranking(
                conn,
                collection.id,
                settings=replace(collection.settings, visibility=rule),
                fields=collection.fields,
                popularity_field=collection.popularity_field,
            )
        if must_reindex and not later:
            await self._reindexing.reindex(name, on_progress=on_progress or (lambda _: None))
        return rule


def _checked(collection: Collection, rule: VisibilityRule) -> VisibilityRule:
    """The rule with what it needs and nothing else."""
    if rule.to is VisibleTo.ROLE:
        if rule.role is None:
            raise InvalidInputError(f"Say which role sees the rows of “{collection.name}”: {', '.join(UserRole)}.")
        return VisibilityRule(rule.to, rule.role)
    if rule.to in {VisibleTo.OWNER, VisibleTo.GROUPS}:
        if collection.field(rule.field or "") is None:
            known = ", ".join(field.name for field in collection.fields)
            what = "the owner of" if rule.to is VisibleTo.OWNER else "the groups for"
            raise InvalidInputError(
                f"“{rule.field or ''}” is no field of “{collection.name}”, where {what} a row could stand. Its fields:"
                f" {known}."
            )
        return VisibilityRule(rule.to, None, rule.field)
    return PUBLIC if rule.to is VisibleTo.PUBLIC else VisibilityRule(rule.to)
