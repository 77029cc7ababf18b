"""What SQLite says in its own way: many keys are one JSON parameter, many rows one executemany."""

# ruff: noqa: D102  # `dialect.Dialect` says what each statement does

from collections.abc import Iterable, Sequence
from typing import cast

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection


class SqliteStatements:
    """See `dialect.Dialect`."""

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (collection_id, chunk, key)"
                " DO UPDATE SET cardinality = excluded.cardinality, bitmap = excluded.bitmap",
                list(rows),
            )

    async def put_documents(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, bytes, bytes]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO documents (collection_id, number, key, body, digest) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (collection_id, number) DO UPDATE SET body = excluded.body, digest = excluded.digest",
                list(rows),
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


def _json(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()


STATEMENTS = SqliteStatements()
