"""Connections to PostgreSQL servers that rows are read from: opened in one thread, used in another."""

import asyncio
from collections.abc import Coroutine, Sequence
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from livesearch.errors import SourceError
from livesearch.models import metadata

T = TypeVar("T")

_CONNECT_SECONDS = 10
_LISTED = 20
# Of a store in the same database the tables are not a person's.
_LIST = """
SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT (c.relname = ANY($1::text[]) AND to_regclass(format('%I.foreign_changes', n.nspname)) IS NOT NULL)
ORDER BY 1
"""


class LoopThread:
    """An event loop in a thread of its own: rows are asked for in one thread, and let go of in another."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="postgres-reader", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what the protocol has
        """Run in the loop, and wait for the answer."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def cancel_all(self) -> None:
        """Cancel what is under way."""
        self.run(_cancel_others())

    def close(self) -> None:
        """Cancel what is under way, and end the thread."""
        if self._loop.is_closed():
            return
        self.cancel_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def connected(location: str) -> Any:  # Any: asyncpg has no types
    """Open a connection.

    Raises:
        SourceError: The server does not answer, or does not let us in; the message holds no password.
    """
    place = f"“{shown_url(location)}”"
    try:
        return await asyncpg.connect(
            location.replace("postgresql+asyncpg://", "postgresql://", 1),
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "livesearch import"},
        )
    except (asyncpg.PostgresError, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(".") or "no answer"
        raise SourceError(f"{place} does not answer: {reason}. Check address, user and password.") from error
    except (asyncpg.InterfaceError, ValueError, TypeError):
        # What these say may quote a part of the password; so may what they came from.
        raise SourceError(
            f"{place} is no address of a database: postgresql://user:password@host:5432/name::table."
            " Write special characters of a password by their codes, / as %2F."
        ) from None


async def list_tables(connection: Any) -> list[str]:
    """The names of tables and views, as a person may name them; a store's own tables are left out."""
    return [row[0] for row in await connection.fetch(_LIST, [*metadata.tables, "alembic_version"])]


def only_table(location: str) -> str:
    """The table of a database that has one.

    Raises:
        SourceError: It has none, or several; the message lists them.
    """
    loop = LoopThread()
    try:
        names = loop.run(_listed_tables(location))
    finally:
        loop.close()
    place = f"“{shown_url(location)}”"
    if len(names) == 1:
        return names[0]
    if not names:
        raise SourceError(f"{place} has no table that this role may see.")
    raise SourceError(
        f"{place} has {len(names)} tables: {listed(names)}. Choose one: {shown_url(location)}::{names[0]}"
    )


def shown_url(url: str) -> str:
    """An address as it may be shown and kept: without any password. What is no address stays as it is."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{scheme}://…"
    # A password with a character that should be a code may be anywhere.
    if parts.fragment or ("@" in url and "@" not in parts.netloc):
        return f"{scheme}://…"
    login, at, host = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query) if "password" not in name.lower()]
    netloc = login.partition(":")[0] + at + host
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(options), ""))


async def _listed_tables(location: str) -> list[str]:
    connection = await connected(location)
    try:
        return await list_tables(connection)
    finally:
        await connection.close()


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, not too many."""
    return ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
