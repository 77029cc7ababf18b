"""Why a document stands where it does in a result, or why it is not there."""

from collections.abc import Iterator
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Document, Explanation, Range
from livesearch.errors import DocumentNotFoundError
from livesearch.search.analysis import written
from livesearch.search.checking import Checker
from livesearch.search.curations import arrange
from livesearch.search.ordering import remaining
from livesearch.search.values import display_text
from livesearch.services.finding import Found
from livesearch.services.paging import Ranked
from livesearch.store.documents import find_stored, load_documents

# Places of a result that are gone through to say where a document stands.
_PLACE_COUNT = 10_000
_UNTOLD = "It holds less of the search than the documents that were found."
_NOT_REACHED = "It comes after the documents that were looked through."


async def explain(conn: AsyncConnection, found: Found, ranked: Ranked, key: str) -> Explanation:
    """Explain one document of a search.

    Raises:
        DocumentNotFoundError: No document has the key.
    """
    stored = (await find_stored(conn, found.collection.id, [key])).get(key)
    documents = await load_documents(conn, found.collection, [stored[0]]) if stored else {}
    is_hidden = stored is not None and found.sight is not None and stored[0] not in found.sight.documents
    if stored is None or stored[0] not in documents or is_hidden:
        raise DocumentNotFoundError(found.collection.name, key)
    number, document = stored[0], documents[stored[0]][1]
    if number not in found.narrowed.all:
        return Explanation(
            reasons=tuple(_reasons(found, number, document)) or (_UNTOLD if found.is_exact else _NOT_REACHED,)
        )
    scorer = found.scorer()
    parts = scorer.explain(document, found.columns.rank.score_of(number)) if found.is_ranked else ()
    is_pinned = not found.query.sort and any(number == pinned for _, pinned in found.pinned)
    return Explanation(parts=parts, rank=_place(found, ranked, number), is_pinned=is_pinned)


def _place(found: Found, ranked: Ranked, number: int) -> int | None:
    """The document's place from 1; None where it is too far down to be counted."""
    if found.query.sort:
        numbers = found.order.best(found.narrowed.all, _PLACE_COUNT)
    else:
        rest = remaining(found.narrowed.tiers, found.order, ranked.numbers, limit=_PLACE_COUNT)
        numbers = list(
            islice(arrange([*ranked.numbers, *(place.number for place in rest)], found.pinned), _PLACE_COUNT)
        )
    return numbers.index(number) + 1 if number in numbers else None


def _reasons(found: Found, number: int, document: Document) -> Iterator[str]:
    if number in found.hidden:
        yield "It is hidden for this search."
        return
    checker = Checker(found.parsed, found.collection)
    for clause in found.parsed.clauses:
        if not checker.satisfies(document, clause):
            where = f" in “{clause.field_name}”" if clause.field_name else ""
            what = "does not hold the words side by side" if clause.typed.is_phrase else "holds no word that matches"
            yield f"It {what}: “{written(clause.typed.text)}”{where}."
    for clause in found.parsed.excluded:
        if checker.satisfies(document, clause):
            yield f"It holds “{written(clause.typed.text)}”, which the search leaves out."
    if found.conditions is not None and number not in found.conditions:
        yield f"It does not fulfil {', '.join(condition.typed for condition in found.parsed.conditions)}."
    for name, allowed in found.allowed.items():
        if number not in allowed:
            yield f"It is filtered out by {_chosen(found, name)}: its value is {_value(document, name)}."


def _chosen(found: Found, name: str) -> str:
    if values := found.query.filters.get(name):
        return f"{name} = {' or '.join(values)}"
    limits = found.query.ranges.get(name, Range())
    return f"{name} from {limits.minimum or 'any'} to {limits.maximum or 'any'}"


def _value(document: Document, name: str) -> str:
    return f"“{display_text(document.get(name))}”" if document.get(name) not in (None, "", []) else "missing"
