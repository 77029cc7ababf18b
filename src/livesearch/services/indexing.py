"""Where an import's index is computed: in the import's own thread, or in a process beside it."""

import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from livesearch.domain import PostingChange
from livesearch.errors import StoreError
from livesearch.search.indexer import ChangedBody, Indexer, Page
from livesearch.search.indexing import IndexSchema
from livesearch.services.worker import Worker


class Indexing(Protocol):
    """Computes the index of one batch after another."""

    async def put(self, changed: Sequence[ChangedBody]) -> None:
        """Take documents of the batch in."""

    async def finish(self) -> None:
        """Say that the batch is complete."""

    def pages(self) -> AsyncIterator[Page]:
        """What becomes of the postings, after ``finish``; all pages must be taken before the next batch."""

    def close(self) -> None:
        """Let go of what was started."""


class ThreadIndexing:
    """In the import's own thread: for imports that are done before a process would have started."""

    def __init__(self, worker: Worker, schema: IndexSchema) -> None:
        self._worker = worker
        self._indexer = Indexer(schema)

    async def put(self, changed: Sequence[ChangedBody]) -> None:
        """Take documents of the batch in."""
        await self._worker.run(self._indexer.put, changed)

    async def finish(self) -> None:
        """Do nothing: pages are computed when they are asked for."""

    async def pages(self) -> AsyncIterator[Page]:
        """What becomes of the postings."""
        found = self._indexer.pages()
        while page := await self._worker.run(lambda: next(found, None)):
            yield page

    def close(self) -> None:
        """Do nothing."""


class ProcessIndexing:
    """In a process of its own, while this one reads and writes. It ends with this one, whatever ends this one."""

    def __init__(self, worker: Worker, schema: IndexSchema) -> None:
        self._worker = worker
        # -P: the current folder may hold files that are named like modules.
        command = (sys.executable, "-P", "-m", "livesearch.search.indexer")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own
        self._schema: IndexSchema | None = schema

    async def put(self, changed: Sequence[ChangedBody]) -> None:
        """Take documents of the batch in; waits while the process is busy with those before."""
        await self._worker.run(self._send, changed)

    async def finish(self) -> None:
        """Say that the batch is complete: its first page is computed ahead."""
        await self._worker.run(self._send, None)

    async def pages(self) -> AsyncIterator[Page]:
        """What becomes of the postings; a page is computed while the one before is written."""
        while page := await self._worker.run(self._receive):
            yield page

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(BrokenPipeError):  # what was not sent yet
            self._process.__exit__(None, None, None)

    def _send(self, request: Sequence[ChangedBody] | None) -> None:
        assert self._process.stdin  # noqa: S101  # asked for
        try:
            if self._schema:
                pickle.dump(self._schema, self._process.stdin)
                self._schema = None
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def _receive(self) -> Page | None:
        assert self._process.stdout  # noqa: S101  # asked for
        try:
            reply: tuple[Any, ...] | None = pickle.load(self._process.stdout)  # noqa: S301  # Any: see `indexer.serve`
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._ended() from error
        if reply is None:
            return None
        chunk, *columns = reply
        return chunk, list(map(PostingChange, *columns))

    def _ended(self) -> StoreError:
        return StoreError(
            f"The process that computes the index has ended with status {self._process.wait()}; was it short of memory?"
            " Nothing is lost: run the import again, it goes on with the rows that were not yet committed."
        )
