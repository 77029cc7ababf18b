"""Synonyms: words that stand for others in a collection's searches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Synonym
from livesearch.errors import InvalidInputError, NotFoundError
from livesearch.ingest import read_synonyms
from livesearch.search.analysis import written
from livesearch.search.synonyms import WORD_COUNT, SynonymMap, folded_words
from livesearch.services.opening import require_collection
from livesearch.services.transactions import Transactions
from livesearch.services.tuning import changing
from livesearch.store import synonyms as store

# More are rather a task for the rows themselves. All are read and compared with each change.
SYNONYM_COUNT = 1000
# What one run of words may stand for: each is looked for as if it had been typed.
ALTERNATIVE_COUNT = 50


@dataclass(frozen=True, slots=True)
class SynonymReport:
    """What an import of synonyms did.

    Attributes:
        added: New ones.
        known: Rules of the file that were there already.
    """

    added: int
    known: int


class SynonymService:
    """Lists and changes synonyms."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def list_all(self, name: str) -> tuple[Synonym, ...]:
        """All synonyms of a collection, in the order they came.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            return await store.load_synonyms(conn, (await require_collection(conn, name)).id)

    async def add(self, name: str, words: str, alternatives: Sequence[str], *, is_two_way: bool = True) -> Synonym:
        """Let words stand for others.

        Args:
            words: One word or several, as a person writes them.
            alternatives: Likewise.
            is_two_way: Whether each of all stands for the others; otherwise only ``words`` for the alternatives.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: A side has no word or more than 12, the synonym is there already, or there are too many.
        """
        synonym = _folded(words, alternatives, is_two_way=is_two_way)
        async with changing(self._transactions, name) as (conn, collection):
            before = await store.load_synonyms(conn, collection.id)
            if _meaning(synonym) in map(_meaning, before):
                raise InvalidInputError(f"{describe(synonym)} is a synonym of “{name}” already.")
            return (await _added(conn, collection.id, before, [synonym]))[-1]

    async def add_file(self, name: str, data: bytes) -> SynonymReport:
        """Add the synonyms of a file, all or none; see `ingest.read_synonyms` for its format.

        Raises:
            CollectionNotFoundError: No collection has the name.
            SourceError: The file is not UTF-8, or a line is no rule.
            InvalidInputError: A line has a side with no word or more than 12, or there are too many synonyms.
        """
        read: list[Synonym] = []
        for line in read_synonyms(data):
            try:
                read.append(_folded(line.words, line.alternatives, is_two_way=line.is_two_way))
            except InvalidInputError as error:
                raise InvalidInputError(f"Line {line.line} of the synonyms: {error}") from error
        async with changing(self._transactions, name) as (conn, collection):
            before = await store.load_synonyms(conn, collection.id)
            known = set(map(_meaning, before))
            new: dict[object, Synonym] = {}
            for synonym in read:
                if _meaning(synonym) not in known:
                    new.setdefault(_meaning(synonym), synonym)  # the file may repeat itself
            await _added(conn, collection.id, before, list(new.values()))
        return SynonymReport(added=len(new), known=len(read) - len(new))

    async def remove(self, name: str, synonym_id: int) -> None:
        """Remove one synonym.

        Raises:
            CollectionNotFoundError: No collection has the name.
            NotFoundError: The collection has no such synonym.
        """
        async with changing(self._transactions, name) as (conn, collection):
            if not await store.delete_synonym(conn, collection.id, synonym_id):
                raise NotFoundError(f"There is no synonym {synonym_id} in “{name}”.")


def describe(synonym: Synonym) -> str:
    """A synonym in one line, as files of synonyms have it: ``tv, television`` or ``ps5 => playstation 5``."""
    words, others = written(synonym.words), ", ".join(map(written, synonym.alternatives))
    return f"{words}, {others}" if synonym.is_two_way else f"{words} => {others}"


def _meaning(synonym: Synonym) -> tuple[bool, frozenset[str], frozenset[str]]:
    """What two synonyms have in common that say the same."""
    key, alternatives = frozenset({synonym.words}), frozenset(synonym.alternatives)
    return (True, key | alternatives, frozenset()) if synonym.is_two_way else (False, key, alternatives)


def _folded(words: str, alternatives: Iterable[str], *, is_two_way: bool) -> Synonym:
    key, *others = (_checked(text) for text in (words, *alternatives))
    kept = tuple(dict.fromkeys(text for text in others if text != key))
    if not kept:
        raise InvalidInputError(f"“{words}” would stand for itself only. Give it other words to stand for.")
    return Synonym(0, key, kept, is_two_way)


def _checked(text: str) -> str:
    folded = folded_words(text)
    if not folded:
        raise InvalidInputError(f"“{text[:80]}” has no word in it: a synonym stands for letters or digits.")
    if written(folded).count(" ") >= WORD_COUNT:
        raise InvalidInputError(f"“{text[:80]}” has more than {WORD_COUNT} words, and no synonym may.")
    return folded


async def _added(
    conn: AsyncConnection, collection_id: int, before: Sequence[Synonym], new: Sequence[Synonym]
) -> tuple[Synonym, ...]:
    """Store synonyms, and give all there are then."""
    if len(before) + len(new) > SYNONYM_COUNT:
        raise InvalidInputError(
            f"A collection takes {SYNONYM_COUNT:,} synonyms at most, and these would be {len(before) + len(new):,}."
            " Remove some, or put several alternatives into one."
        )
    widest, count = SynonymMap((*before, *new)).widest()
    if count > ALTERNATIVE_COUNT:
        raise InvalidInputError(
            f"“{widest}” would stand for {count} others, at most {ALTERNATIVE_COUNT} are looked for."
        )
    await store.add_synonyms(conn, collection_id, new)
    return await store.load_synonyms(conn, collection_id)
