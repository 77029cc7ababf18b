"""The index of a batch of documents, computed from their stored form; as a module, a process that does so for another.

The process is the one place of this floor that reads and writes: it stands here because it may import nothing of the
floors above, and so starts in a fifth of a second and in 30 MB.
"""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import orjson

from livesearch.domain import CHUNK_BITS, Document, PostingChange
from livesearch.search.indexing import IndexSchema, PostingsBatch

# Postings given at once: bounds the memory, and how long one statement keeps the store's thread.
PAGE_COUNT = 20_000

# A document that is new or has changed: number, key, body before (None where it is new) and body, as they are stored.
ChangedBody = tuple[int, str, bytes | None, bytes]
# A chunk, and some of its changes in the order of keys.
Page = tuple[int, list[PostingChange]]


class Indexer:
    """Takes the documents of a batch in, and gives what becomes of the postings."""

    def __init__(self, schema: IndexSchema) -> None:
        self._schema = schema
        self._batches: dict[int, PostingsBatch] = {}

    def put(self, changed: Sequence[ChangedBody]) -> None:
        """Take documents in."""
        for number, key, before, body in changed:
            chunk = number >> CHUNK_BITS
            batch = self._batches.get(chunk)
            if batch is None:
                batch = self._batches[chunk] = PostingsBatch(self._schema, chunk)
            if before is None:
                batch.add(number, self._document(key, body))
            else:
                batch.replace(number, self._document(key, before), self._document(key, body))

    def _document(self, key: str, body: bytes) -> Document:
        """The document of a body, which may lack the key field; in what place that stands is no matter here."""
        document: dict[str, Any] = orjson.loads(body)  # Any: JSON values
        if self._schema.key_field is not None:
            document.setdefault(self._schema.key_field, key)
        return document

    def pages(self) -> Iterator[Page]:
        """Every change, chunk by chunk; afterwards the indexer is empty."""
        while self._batches:
            chunk = min(self._batches)
            changes = self._batches.pop(chunk).changes()
            while page := list(islice(changes, PAGE_COUNT)):
                yield chunk, page


# What a tenth of the processor is left to, when somebody else wants all of it. No lower than an import that gives way
# itself: within its transaction it waits for the index.
_NICENESS = 10


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer another process until it closes the stream.

    Args:
        requests: Pickles: an ``IndexSchema``, then lists of ``ChangedBody``; None asks for the pages.
        replies: Pickles: each page as its chunk and four columns; None after the last.
    """
    indexer = Indexer(pickle.load(requests))  # noqa: S301  # our own parent's
    while True:
        try:
            changed = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        if changed is not None:
            indexer.put(changed)
            continue
        for chunk, page in indexer.pages():
            # Columns: plain values are pickled in a quarter of the time of tuples with names.
            pickle.dump((chunk, *zip(*page, strict=True)), replies)
            replies.flush()
        pickle.dump(None, replies)
        replies.flush()


def main() -> None:
    """Serve the process that started this one."""
    # Ctrl-C reaches both processes; the other one decides, and closing the stream is how it tells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Documents hold no cycles: looking for some takes a fifth of the time.
    gc.disable()
    # Searches go first where processors are short; on an idle machine this costs nothing.
    if hasattr(os, "nice"):
        os.nice(max(0, _NICENESS - os.nice(0)))
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # The other process was killed. Nothing is left to be written at exit.
        sys.stdout = None


if __name__ == "__main__":
    main()
