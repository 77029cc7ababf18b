"""What SQLite says in its own way: many keys are one JSON parameter, many rows one executemany."""

# ruff: noqa: D102  # `dialect.Dialect` says what each statement does

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import cast

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

# Rows of one statement: 5,000 parameters, of the 32,766 that SQLite takes. A third of the time of `executemany`, which
# lets go of the interpreter's lock and takes it again for each row.
ROW_COUNT = 1000


class SqliteStatements:
    """See `dialect.Dialect`."""

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
        await _insert(
            conn,
            "INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap) VALUES",
            rows,
            "ON CONFLICT (collection_id, chunk, key)"
            " DO UPDATE SET cardinality = excluded.cardinality, bitmap = excluded.bitmap",
        )

    async def put_documents(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, bytes, bytes]]) -> None:
        await _insert(
            conn,
            "INSERT INTO documents (collection_id, number, key, body, digest) VALUES",
            rows,
            "ON CONFLICT (collection_id, number) DO UPDATE SET body = excluded.body, digest = excluded.digest",
        )

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[tuple[str, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, bitmap FROM postings WHERE collection_id = ?"
            " AND chunk IN (SELECT value FROM json_each(?)) AND key IN (SELECT value FROM json_each(?))",
            (collection_id, _json(chunks), _json(keys)),
        )
        return cast("Sequence[tuple[str, bytes]]", result.fetchall())

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        await conn.exec_driver_sql(
            "DELETE FROM postings WHERE collection_id = ? AND chunk = ? AND key IN (SELECT value FROM json_each(?))",
            (collection_id, chunk, _json(keys)),
        )

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str]
    ) -> Sequence[tuple[str, int, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, number, digest FROM documents"
            " WHERE collection_id = ? AND key IN (SELECT value FROM json_each(?))",
            (collection_id, _json(keys)),
        )
        return cast("Sequence[tuple[str, int, bytes]]", result.fetchall())

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT number, key, body FROM documents"
            " WHERE collection_id = ? AND number IN (SELECT value FROM json_each(?))",
            (collection_id, _json(numbers)),
        )
        return cast("Sequence[tuple[int, str, bytes]]", result.fetchall())


async def _insert(conn: AsyncConnection, head: str, rows: Sequence[tuple[object, ...]], tail: str) -> None:
    """Insert rows of five columns, many with one statement."""
    for start in range(0, len(rows), ROW_COUNT):
        some = rows[start : start + ROW_COUNT]
        statement = f"{head} {', '.join(['(?, ?, ?, ?, ?)'] * len(some))} {tail}"
        await conn.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


def _json(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()


STATEMENTS = SqliteStatements()
