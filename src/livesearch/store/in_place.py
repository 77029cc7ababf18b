"""Tables of the same database that collections follow: the triggers on them, what these noted, and the rows.

PostgreSQL only. A trigger notes the keys of the rows that a statement wrote, in the writer's own transaction, and
nothing else; what the rows say is read when they are indexed. It does nothing that could fail for what a row holds, and
waits for nobody. That a column was renamed or dropped it sees beforehand.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.errors import StoreUnavailableError
from livesearch.models import chunks, collections, doc_values, documents, postings, table_changes, vocabulary

# Milliseconds to wait for a table that others write to: who comes after us waits as long.
_PATIENCE_MS = 2000
_LOCK_TIMEOUT, _FORBIDDEN = "55P03", "42501"
# What the server says when a table or a column is not there, or a key cannot be of the column's type any more.
_GONE = frozenset({"42P01", "42703", "42704", "42883", "22P02"})
_TRIGGERS = {
    "insert": "INSERT ON {table} REFERENCING NEW TABLE AS new_rows",
    "update": "UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "DELETE ON {table} REFERENCING OLD TABLE AS old_rows",
    "truncate": "TRUNCATE ON {table}",
}

# SECURITY DEFINER: who may write to the table need not be allowed to write notes. The path is fixed, and the key's text
# is asked of its type, not of a cast, so that nothing of somebody else's runs with our rights. No NOTIFY: a transaction
# with it cannot be prepared for two-phase commit.
_BODY = """
BEGIN
  IF TG_OP = 'TRUNCATE' OR NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = TG_RELID AND attname = {key_name} AND NOT attisdropped
  ) THEN
    INSERT INTO {schema}.table_changes (collection_id) VALUES ({collection_id});
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO {schema}.table_changes (collection_id, key)
      SELECT {collection_id}, {key_text} FROM new_rows AS t WHERE t.{key} IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO {schema}.table_changes (collection_id, key)
      SELECT {collection_id}, {key_text} FROM old_rows AS t WHERE t.{key} IS NOT NULL;
  ELSE
    INSERT INTO {schema}.table_changes (collection_id, key)
      SELECT {collection_id}, {key_text} FROM old_rows AS t WHERE t.{key} IS NOT NULL
      UNION SELECT {collection_id}, {key_text} FROM new_rows AS t WHERE t.{key} IS NOT NULL;
  END IF;
  RETURN NULL;
END
"""

# The table itself says which it is: it may have been renamed, or restored from a dump with another number.
_FOLLOWED = """
SELECT t.tgrelid, count(*) FILTER (WHERE t.tgenabled IN ('O', 'A'))
FROM pg_trigger t WHERE t.tgfoid = to_regproc(format('%I.%I', current_schema(), $1::text)) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """A note: the key of a row that was written; None says that any row may have gone."""

    id: int
    key: str | None


def _function_name(collection_id: int) -> str:
    return f"livesearch_note_table_{collection_id}"


async def fetch(conn: AsyncConnection, statement: str, *values: object) -> Sequence[Any]:  # Any: columns of all types
    """Run a statement of whoever knows tables; parameters are ``$1`` and so on."""
    return (await conn.exec_driver_sql(statement, values)).fetchall()


async def start_noting(
    conn: AsyncConnection, collection_id: int, *, table: str, key: str, key_name: str, key_text: str
) -> None:
    """Put the triggers on a table, in place of those the collection has.

    Args:
        table: The name, quoted.
        key: The column whose values are the documents' keys, quoted.
        key_name: Its name as it is.
        key_text: The expression that gives the text of ``t``'s key.
    """
    await stop_noting(conn, collection_id)
    await conn.exec_driver_sql(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
    name = _function_name(collection_id)
    schema, key_name = await _quoted(conn, "quote_ident(current_schema()), quote_literal($1::text)", key_name)
    body = _BODY.format(schema=schema, collection_id=collection_id, key=key, key_name=key_name, key_text=key_text)
    (literal,) = await _quoted(conn, "quote_literal($1::text)", body)
    await conn.exec_driver_sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        f" SET search_path = pg_catalog, pg_temp AS {literal}"
    )
    await conn.exec_driver_sql(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    for event, definition in _TRIGGERS.items():
        await conn.exec_driver_sql(
            f"CREATE TRIGGER {name}_{event} AFTER {definition.format(table=table)}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


async def _quoted(conn: AsyncConnection, parts: str, text: str) -> Sequence[str]:
    """What the server makes of a text."""
    return tuple((await conn.exec_driver_sql(f"SELECT {parts}", (text,))).one())


async def stop_noting(conn: AsyncConnection, collection_id: int) -> None:
    """Take the triggers off the collection's table, and forget what they noted; nothing where there are none."""
    if conn.dialect.name != "postgresql":
        return
    name = _function_name(collection_id)
    if (await conn.exec_driver_sql("SELECT to_regproc($1::text) IS NOT NULL", (name,))).scalar_one():
        await conn.exec_driver_sql(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
        # With the function go its triggers, also where the table belongs to somebody else.
        await conn.exec_driver_sql(f"DROP FUNCTION {name}() CASCADE")
    await conn.execute(delete(table_changes).where(table_changes.c.collection_id == collection_id))


def is_table_busy(error: BaseException) -> bool:
    """Whether what the store could not do was to have a table for a moment."""
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) == _LOCK_TIMEOUT


async def followed_table(conn: AsyncConnection, collection_id: int) -> int | None:
    """The number of the table that has the collection's triggers, all of them and enabled; None where there is none."""
    if conn.dialect.name != "postgresql":
        return None
    found = await fetch(conn, _FOLLOWED, _function_name(collection_id))
    return found[0][0] if found and found[0][1] == len(_TRIGGERS) else None


async def mark(conn: AsyncConnection, collection_id: int, *, table: str | None, is_following: bool) -> None:
    """Record which table a collection's documents are the rows of, and whether its changes are taken over."""
    values: Mapping[str, object] = {"is_following": is_following} | ({"source_table": table} if table else {})
    await conn.execute(update(collections).where(collections.c.id == collection_id).values(**values))


async def noted(conn: AsyncConnection, collection_id: int, limit: int) -> list[Noted]:
    """The oldest notes."""
    columns = table_changes.c
    query = select(columns.id, columns.key).where(columns.collection_id == collection_id).order_by(columns.id)
    return [Noted(*row) for row in await conn.execute(query.limit(limit))]


async def last_noted(conn: AsyncConnection, collection_id: int) -> int:
    """The number of the newest note; 0 where there is none."""
    query = select(func.coalesce(func.max(table_changes.c.id), 0))
    return int((await conn.execute(query.where(table_changes.c.collection_id == collection_id))).scalar_one())


async def forget(conn: AsyncConnection, notes: Iterable[Noted]) -> None:
    """Remove notes. Others of the same keys may have come meanwhile, and stay."""
    ids = [note.id for note in notes]
    await conn.exec_driver_sql("DELETE FROM table_changes WHERE id = ANY($1::bigint[])", (ids,))


async def forget_all(conn: AsyncConnection, collection_id: int) -> None:
    """Remove all notes that are there by now."""
    await conn.execute(delete(table_changes).where(table_changes.c.collection_id == collection_id))


async def note_any(conn: AsyncConnection, collection_id: int) -> None:
    """Note that any row may have gone."""
    await conn.execute(insert(table_changes).values(collection_id=collection_id))


async def note_lost(conn: AsyncConnection, collection_id: int, *, rows: str, key_text: str) -> None:
    """Note every document whose row is not there.

    Args:
        rows: The table's name, quoted.
        key_text: As for ``start_noting``.
    """
    await conn.exec_driver_sql(
        "INSERT INTO table_changes (collection_id, key) SELECT d.collection_id, d.key FROM documents d"  # noqa: S608
        " WHERE d.collection_id = $1 AND d.number >= 0"
        f" AND NOT EXISTS (SELECT FROM {rows} t WHERE {key_text} = d.key)",
        (collection_id,),
    )


async def note_rows(conn: AsyncConnection, collection_id: int, *, rows: str, key_text: str) -> None:
    """Note every row there is; arguments as for ``note_lost``."""
    await conn.exec_driver_sql(
        f"INSERT INTO table_changes (collection_id, key) SELECT $1::int, {key_text} FROM {rows} t",  # noqa: S608
        (collection_id,),
    )


@asynccontextmanager
async def reading_rows(conn: AsyncConnection, settings: str) -> AsyncIterator[Callable[..., Awaitable[Sequence[Any]]]]:
    """Read tables under settings that hold no longer than the block; gives what ``fetch`` is, without the connection.

    Args:
        settings: A statement that sets them for a transaction.

    Raises:
        TableGoneError: A table or a column is not there, or not what it was.
        StoreUnavailableError: The store's role may not read it.
    """
    try:
        async with conn.begin_nested() as savepoint:
            await conn.exec_driver_sql(settings)
            yield partial(fetch, conn)
            await savepoint.rollback()
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _GONE:
            raise TableGoneError from error
        if state == _FORBIDDEN:
            reason = str(error.orig).rpartition(": ")[2]
            raise StoreUnavailableError(f"The table cannot be read: {reason}.") from error
        raise


class TableGoneError(Exception):
    """A table or a column is not there, or not what it was; no error of the tree: the service says what follows."""


async def is_empty(conn: AsyncConnection, rows: str) -> bool:
    """Whether a table, its name quoted, has no row."""
    return not (await conn.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {rows})")).scalar_one()  # noqa: S608


async def empty_collection(conn: AsyncConnection, collection_id: int) -> int:
    """Remove all documents of a collection, with their index, at once; gives the new version."""
    # By the digest the triggers of migration 0003 see that no other program does this.
    await conn.execute(update(documents).where(documents.c.collection_id == collection_id).values(digest=b"\0"))
    for table in (documents, postings, doc_values, vocabulary):
        await conn.execute(delete(table).where(table.c.collection_id == collection_id))
    row = collections.c
    version = (
        await conn.execute(
            update(collections)
            .where(row.id == collection_id)
            .values(version=row.version + 1, document_count=0, token_count=0)
            .returning(row.version)
        )
    ).scalar_one()
    await conn.execute(
        update(chunks).where(chunks.c.collection_id == collection_id).values(version=version, since=None, places=None)
    )
    return int(version)
