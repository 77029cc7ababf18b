"""Curations: documents that an owner has pinned to a place, or hidden, for one query."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from livesearch.domain import Curation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CurationsOfQuery:
    """What an owner decided for one query.

    Attributes:
        pinned: Places, from 1, and keys of the documents that stand there; in order of place, each place once.
        hidden: Keys of the documents that are not shown.
    """

    pinned: tuple[tuple[int, str], ...] = ()
    hidden: frozenset[str] = frozenset()


def group_curations(curations: Iterable[Curation]) -> Mapping[str, CurationsOfQuery]:
    """Curations by query, as `search.synonyms.folded_words` writes it."""
    pinned: dict[str, list[tuple[int, str]]] = {}
    hidden: dict[str, set[str]] = {}
    for curation in curations:
        if curation.position is None:
            hidden.setdefault(curation.query, set()).add(curation.document_key)
        else:
            pinned.setdefault(curation.query, []).append((curation.position, curation.document_key))
    return {
        query: CurationsOfQuery(tuple(sorted(pinned.get(query, ()))), frozenset(hidden.get(query, ())))
        for query in (pinned | hidden)
    }


def arrange(ranked: Iterable[T], pinned: Sequence[tuple[int, T]], hidden: Container[T] = ()) -> Iterator[T]:
    """Put pinned documents in their places, and leave hidden ones out.

    Args:
        ranked: Keys or numbers of documents from the first rank on, each once. Read no further than is asked for.
        pinned: Places, from 1, in their order, and who stands there; leave out those that are not to be shown, such as
            deleted documents.

    Yields:
        The documents in the order they are shown. A place past the end is taken after the last document.
    """
    fixed = {document for _, document in pinned}
    others = (document for document in ranked if document not in fixed and document not in hidden)
    place = 1
    for position, document in pinned:
        for other in islice(others, max(0, position - place)):
            yield other
            place += 1
        yield document
        place += 1
    yield from others
