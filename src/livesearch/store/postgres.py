"""What PostgreSQL says in its own way: many keys are one array parameter, many rows one array for each column."""

# ruff: noqa: D102  # `dialect.Dialect` says what each statement does

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection


class PostgresStatements:
    """See `dialect.Dialect`."""

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap)"
                " SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::bytea[])"
                " ON CONFLICT (collection_id, chunk, key)"
                " DO UPDATE SET cardinality = excluded.cardinality, bitmap = excluded.bitmap",
                _columns(rows),
            )

    async def put_documents(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, bytes, bytes]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO documents (collection_id, number, key, body, digest)"
                " SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[])"
                " ON CONFLICT (collection_id, number) DO UPDATE SET body = excluded.body, digest = excluded.digest",
                _columns(rows),
            )

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[tuple[str, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, bitmap FROM postings"
            " WHERE collection_id = $1 AND chunk = ANY($2::int[]) AND key = ANY($3::text[])",
            # A filter may name any text; PostgreSQL takes no NUL, and no key has one.
            (collection_id, list(chunks), [key for key in keys if "\0" not in key]),
        )
        return cast("Sequence[tuple[str, bytes]]", result.fetchall())

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        await conn.exec_driver_sql(
            "DELETE FROM postings WHERE collection_id = $1 AND chunk = $2 AND key = ANY($3::text[])",
            (collection_id, chunk, list(keys)),
        )

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str]
    ) -> Sequence[tuple[str, int, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, number, digest FROM documents WHERE collection_id = $1 AND key = ANY($2::text[])",
            (collection_id, list(keys)),
        )
        return cast("Sequence[tuple[str, int, bytes]]", result.fetchall())

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT number, key, body FROM documents WHERE collection_id = $1 AND number = ANY($2::bigint[])",
            (collection_id, list(numbers)),
        )
        return cast("Sequence[tuple[int, str, bytes]]", result.fetchall())


def _columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


STATEMENTS = PostgresStatements()
