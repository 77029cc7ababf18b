"""livesearch itself, as the benchmarks open it: a store of their own, imported once."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from livesearch.config import Settings, store_url_of
from livesearch.db import Database
from livesearch.services import Services, build_services
from livesearch.services.imports import ImportOptions

# The longest limit there is: what is slow is to be measured, not refused.
_TIME_LIMIT_MS = 60_000


@contextmanager
def store_path(chosen: str | None, name: str = "bench.db") -> Iterator[str]:
    """The store that was chosen, kept for the next run, or a scratch file that is gone afterwards."""
    if chosen:
        yield chosen
        return
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder, name))


@asynccontextmanager
async def opened(store: str) -> AsyncIterator[Services]:
    """Services over a store, set up where it is new; closed in the end.

    Args:
        store: A file or a database URL.
    """
    database = Database(Settings(store_url=store_url_of(store), query_timeout_ms=_TIME_LIMIT_MS))
    try:
        services = build_services(database.settings, database)
        await services.transactions.upgrade()
        yield services
    finally:
        await database.close()


async def import_once(services: Services, source: str, options: ImportOptions) -> None:
    """Import a source, unless the store has a collection of that name."""
    if options.name not in {collection.name for collection in await services.collections.list_all()}:
        await services.imports.run(source, options)
