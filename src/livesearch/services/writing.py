"""Writing: what a few changed documents do to the index, in the transaction that changes them.

Imports have a path of their own (`batches`), made for millions of rows; documents are checked the same way on both.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Document, PostingChange
from livesearch.ingest import number_of
from livesearch.search.indexing import IndexSchema, PostingsBatch, ValuesBatch, change_document
from livesearch.search.values import texts
from livesearch.store.collections import advance_collection
from livesearch.store.doc_values import put_all_values
from livesearch.store.journal import KEPT_SIZE, Former, write_entry
from livesearch.store.postings import IndexDelta, add_last, apply_changes
from livesearch.store.vocabulary import apply_frequencies

CHUNK_SIZE = 1 << CHUNK_BITS
# Documents of a chunk after which single new ones begin the next: that many, and an eighth of the collection if that is
# more, so that there are never many more chunks than there must be.
_LIGHT_COUNT, _LIGHT_SHARE = 4096, 8
# Characters that are taken apart in a millisecond or two.
_SHORT_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one document in the index.

    Attributes:
        before: As the index has it; None for one that it does not have.
        after: As it is to be found; None for one that goes.
        key: Where the collection has no key field, what tells it from others; None where that is not at hand.
    """

    number: int
    before: Document | None
    after: Document | None
    key: str | None = None


def first_number(collection: Collection) -> int:
    """The number for the next single new document.

    A chunk that an import has filled has long postings: a document of 10 kB, with two thousand keys, rewrites 7 MB of
    pages there, and 0.2 MB in a chunk of its own.
    """
    used = collection.next_number & (CHUNK_SIZE - 1)
    is_light = used < max(_LIGHT_COUNT, collection.document_count // _LIGHT_SHARE)
    return collection.next_number if is_light else collection.next_number - used + CHUNK_SIZE


async def index_changes(
    conn: AsyncConnection, collection: Collection, changes: Sequence[Change], *, next_number: int
) -> int:
    """Bring postings, numbers, vocabulary, counts and the change token up to date; the rows are the caller's.

    Args:
        changes: One for each document.
        next_number: The number that the next new document gets.

    Returns:
        The collection's new version.
    """
    delta = IndexDelta()
    # A long document is taken apart for longer than others should wait; for a short one a thread takes longer.
    is_short = sum(map(_length, changes)) < _SHORT_LENGTH
    found = _postings(collection, changes) if is_short else await asyncio.to_thread(_postings, collection, changes)
    is_last = len(changes) == 1 and changes[0].before is None and changes[0].number >= collection.next_number
    for chunk, postings in found:
        if is_last:
            delta += await add_last(conn, collection.id, changes[0].number, postings)
        else:
            delta += await apply_changes(conn, collection.id, chunk, postings)
    await put_all_values(conn, collection.id, _values(collection, changes))
    version = await advance_collection(
        conn,
        collection.id,
        next_number=next_number,
        chunks={change.number >> CHUNK_BITS for change in changes},
        token_delta=delta.token_count,
        numbers=[change.number for change in changes],
    )
    await apply_frequencies(conn, collection.id, delta.frequencies, version)
    await note_changes(conn, collection, version, changes)
    return version


async def note_changes(conn: AsyncConnection, collection: Collection, version: int, changes: Sequence[Change]) -> None:
    """Write the journal for some changes; of several of one document the first tells what it was."""
    before: dict[int, Former] = {}
    for change in changes:
        if change.before is not None:
            keys = texts(change.before.get(collection.key_field)) if collection.key_field else [change.key]
            before.setdefault(change.number, Former(keys[0] if keys else None, change.before))
    await write_entry(
        conn,
        collection.id,
        version,
        at=time.time(),
        created=(change.number for change in changes if change.before is None),
        updated=(change.number for change in changes if change.before is not None and change.after is not None),
        removed=(change.number for change in changes if change.after is None),
        before=before if sum(map(_length, changes)) <= KEPT_SIZE else None,
    )


def _length(change: Change) -> int:
    """About how many characters there are to take apart."""
    values = [*(change.before or {}).values(), *(change.after or {}).values()]
    return sum(len(value) if isinstance(value, str | list) else 1 for value in values)


def _postings(collection: Collection, changes: Sequence[Change]) -> list[tuple[int, list[PostingChange]]]:
    """By chunk, in their order: the changes of its postings."""
    schema = IndexSchema.of(collection)
    by_chunk: defaultdict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_chunk[change.number >> CHUNK_BITS].append(change)
    found = []
    for chunk, some in sorted(by_chunk.items()):
        if len(some) == 1:
            (change,) = some
            found.append((chunk, change_document(change.number, change.before, change.after, schema)))
            continue
        batch = PostingsBatch(schema, chunk)
        for change in some:
            _put(batch, change)
        found.append((chunk, list(batch.changes())))
    return found


def _put(batch: PostingsBatch, change: Change) -> None:
    if change.before is not None and change.after is not None:
        batch.replace(change.number, change.before, change.after)
    elif change.after is not None:
        batch.add(change.number, change.after)
    elif change.before is not None:
        batch.remove(change.number, change.before)


def _values(
    collection: Collection, changes: Sequence[Change]
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float64]]]:
    """By field: document numbers, and what to set at them; nothing for a document whose number stays as it is."""
    batch = ValuesBatch()
    nothing: Mapping[str, object] = {}
    for change in changes:
        before, after = change.before or nothing, change.after or nothing
        batch.put(
            change.number,
            {
                field.name: number_of(after.get(field.name), field.type)
                for field in collection.by_role(*NUMERIC_ROLES)
                if change.before is None or before.get(field.name) != after.get(field.name)
            },
        )
    return batch.changes()
