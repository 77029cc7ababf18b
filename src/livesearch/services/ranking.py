"""How a collection ranks: popularity, recency, word forms, and what each field counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import Stemmer

from livesearch.domain import CHUNK_BITS, SEARCHABLE_ROLES, Collection, Field, Role
from livesearch.errors import ConflictError, InvalidInputError
from livesearch.ingest import Inference
from livesearch.services.opening import require_collection
from livesearch.services.reindexing import Later, ReindexingService, Watcher
from livesearch.services.transactions import Transactions
from livesearch.services.tuning import changing
from livesearch.store.settings import save_ranking

# What stands for no field where one could be named.
NO_FIELD = ""
NO_LANGUAGE = "none"
LANGUAGES = (NO_LANGUAGE, *Stemmer.algorithms())

LARGEST_WEIGHT = 100.0
# A century: longer half-lives tell no document from another.
LARGEST_HALF_LIFE = 36_500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingChange:
    """What to change; None leaves a setting as it is. See `domain.CollectionSettings` for what each means.

    Attributes:
        popularity_field: A number of the collection, or ``NO_FIELD``.
        recency_field: A date of the collection, or ``NO_FIELD``.
        weights: By searched field.
        typos: By searched field, whether its words may stand for misspelled ones.
    """

    popularity_field: str | None = None
    popularity_weight: float | None = None
    recency_field: str | None = None
    recency_weight: float | None = None
    recency_half_life_days: float | None = None
    language: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    typos: Mapping[str, bool] = field(default_factory=dict)


class RankingService:
    """Shows and changes how collections rank."""

    def __init__(self, transactions: Transactions, reindexing: ReindexingService) -> None:
        self._transactions = transactions
        self._reindexing = reindexing

    async def get(self, name: str) -> Collection:
        """The collection, whose settings, popularity field and fields say how it ranks.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            return await require_collection(conn, name)

    async def change(
        self, name: str, change: RankingChange, *, on_progress: Watcher | None = None, later: Later | None = None
    ) -> Collection:
        """Change how a collection ranks, all that is asked or nothing; the next search does so.

        Where typo tolerance changes, the index is made anew before this returns, chunk by chunk; meanwhile some of the
        documents still have the old one.

        Args:
            on_progress: Called after each chunk. Whoever gives it has the time to wait for all of them: the index is
                then made anew also where the tolerance is as asked for, since it may have been interrupted before.
            later: Called in the transaction where the index must be made anew: it sees to that in its own time.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: A field is not there or cannot do what it is asked to, a weight is not from 0 to 100, a
                half-life not from above 0 to 36,500 days, or there is no such language.
            ConflictError: The index must be made anew, is larger than a chunk, and nobody waits for it.
        """
        async with changing(self._transactions, name) as (conn, collection):
            wanted = changed(collection, change)
            is_patient = on_progress is not None
            must_reindex = _tolerance(wanted) != _tolerance(collection) or (is_patient and bool(change.typos))
            if must_reindex and later:
                await later(conn)
            elif must_reindex and not is_patient and collection.document_count > 1 << CHUNK_BITS:
                raise ConflictError(
                    f"The typo tolerance of {collection.document_count:,} documents is not changed so quickly. Run"
                    f" `livesearch rank {name} --typos FIELD=on|off` beside the server; searches go on meanwhile."
                )
            await save_ranking(
                conn,
                collection.id,
                settings=wanted.settings,
                fields=wanted.fields,
                popularity_field=wanted.popularity_field,
            )
        if must_reindex and not later:
            await self._reindexing.reindex(name, on_progress=on_progress or (lambda _: None))
        return wanted


def _tolerance(collection: Collection) -> list[bool]:
    return [field.is_typo_tolerant for field in collection.fields]


def keep_choices(inference: Inference, replaced: Collection) -> Inference:
    """What was inferred for a collection that replaces another, with what its owner chose for the fields that stay."""
    before = {(field.name, field.role): field for field in replaced.fields}
    fields = tuple(
        replace(field, weight=stays.weight, is_typo_tolerant=stays.is_typo_tolerant)
        if (stays := before.get((field.name, field.role)))
        else field
        for field in inference.fields
    )
    stay = {(field.name, field.role) for field in fields}
    numbers = {pair for pair in before if pair[1] is Role.SORT}
    # That none was chosen is a choice too, as long as the fields to choose from are there.
    is_kept = (replaced.popularity_field or "", Role.SORT) in stay or (
        not replaced.popularity_field and numbers <= stay
    )
    popularity_field = replaced.popularity_field if is_kept else inference.popularity_field
    return replace(inference, fields=fields, popularity_field=popularity_field)


def changed(collection: Collection, change: RankingChange) -> Collection:
    """The collection as it is to be.

    Raises:
        InvalidInputError: As for ``RankingService.change``.
    """
    chosen = {
        "popularity_weight": _weight("The weight of popularity", change.popularity_weight),
        "recency_weight": _weight("The weight of recency", change.recency_weight),
        "recency_half_life_days": _half_life(change.recency_half_life_days),
        "language": _language(change.language),
    }
    settings = replace(collection.settings, **{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]  # each has its field's type
    if change.recency_field is not None:
        settings = replace(settings, recency_field=_field_name(collection, change.recency_field, Role.DATE))
    popularity_field = collection.popularity_field
    if change.popularity_field is not None:
        popularity_field = _field_name(collection, change.popularity_field, Role.SORT)
    fields = tuple(_changed_field(found, change) for found in collection.fields)
    for name in (*change.weights, *change.typos):
        _require_searched(collection, name)
    return replace(collection, settings=settings, popularity_field=popularity_field, fields=fields)


def _changed_field(found: Field, change: RankingChange) -> Field:
    weight = _weight(f"The weight of “{found.name}”", change.weights.get(found.name))
    return replace(
        found,
        weight=found.weight if weight is None else weight,
        is_typo_tolerant=change.typos.get(found.name, found.is_typo_tolerant),
    )


_KINDS = {Role.DATE: "a date", Role.SORT: "a number"}


def _field_name(collection: Collection, name: str, role: Role) -> str | None:
    if name == NO_FIELD:
        return None
    found = collection.field(name)
    if found is None or found.role is not role:
        able = ", ".join(f.name for f in collection.by_role(role)) or "none"
        raise InvalidInputError(f"“{name}” is not {_KINDS[role]} of “{collection.name}”. Those that are: {able}.")
    return name


def _require_searched(collection: Collection, name: str) -> None:
    found = collection.field(name)
    if found is None or found.role not in SEARCHABLE_ROLES:
        able = ", ".join(f.name for f in collection.by_role(*SEARCHABLE_ROLES)) or "none"
        raise InvalidInputError(f"“{name}” is not a searched field of “{collection.name}”. Those that are: {able}.")


def _weight(what: str, value: float | None) -> float | None:
    # A comparison with NaN is false: it is refused too.
    if value is not None and not 0.0 <= value <= LARGEST_WEIGHT:
        raise InvalidInputError(f"{what} cannot be {value:g}: give a number from 0 (off) to {LARGEST_WEIGHT:g}.")
    return value


def _half_life(days: float | None) -> float | None:
    if days is not None and not 0.0 < days <= LARGEST_HALF_LIFE:
        raise InvalidInputError(
            f"The half-life of recency cannot be {days:g} days: give more than 0, at most {LARGEST_HALF_LIFE:,.0f}."
        )
    return days


def _language(name: str | None) -> str | None:
    if name is not None and name not in LANGUAGES:
        raise InvalidInputError(f"There are no word forms of “{name[:40]}”. Choose one of: {', '.join(LANGUAGES)}.")
    return name
