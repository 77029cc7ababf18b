"""What PostgreSQL says in its own way: many keys are one array parameter, many rows one array for each column."""

# ruff: noqa: D102  # `dialect.Dialect` says what each statement does

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

_OF_KEYS = "FROM postings WHERE collection_id = $1 AND chunk = ANY($2::int[]) AND key = ANY($3::text[])"
# Each chunk of each range is a look-up of its own, whatever the planner thinks of the table. Asked for all chunks at
# once, it may go through the index of all keys: 140 ms at 1.65 million documents, where this takes half of one.
_POSTINGS_AND_PARTS = f"""
    SELECT 0, key, chunk, cardinality, bitmap {_OF_KEYS}
    UNION ALL
    SELECT ranges.place::int, '', chunks.chunk, part.cardinality, part.bitmap
    FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS ranges (first, past, place)
    CROSS JOIN unnest($2::int[]) AS chunks (chunk)
    CROSS JOIN LATERAL (
        SELECT cardinality, string_agg(bitmap, ''::bytea) AS bitmap
        FROM (
            SELECT CASE WHEN length(bitmap) = 2 * cardinality THEN 0 ELSE cardinality END AS cardinality,
                CASE WHEN length(bitmap) = 2 * cardinality THEN '' ELSE key END AS key, bitmap
            FROM postings
            WHERE collection_id = $1 AND chunk = chunks.chunk AND key >= ranges.first AND key < ranges.past
        ) AS held
        GROUP BY key, cardinality
    ) AS part
"""  # noqa: S608  # our own words


class PostgresStatements:
    """See `dialect.Dialect`."""

    # Any: what asyncpg takes and gives.
    async def fetch(self, conn: AsyncConnection, sql: str, parameters: Sequence[Any]) -> list[Any]:
        return list(await conn.exec_driver_sql(sql, tuple(parameters)))

    async def put(self, conn: AsyncConnection, statement: Insert, rows: Iterable[Mapping[str, Any]]) -> None:
        if given := list(rows):
            await conn.execute(statement, given)

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap)"
                " SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::bytea[])"
                " ON CONFLICT (collection_id, chunk, key)"
                " DO UPDATE SET cardinality = excluded.cardinality, bitmap = excluded.bitmap",
                _columns(rows),
            )

    async def add_last(self, *_: object, **_named: object) -> bool:
        return False

    async def put_documents(
        self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes, bytes]]
    ) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO documents (collection_id, number, key, key_hash, body, digest)"
                " SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[])"
                " ON CONFLICT (collection_id, number) DO UPDATE SET body = excluded.body, digest = excluded.digest",
                _columns(rows),
            )

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[tuple[str, int, int, bytes]]:
        result = await conn.exec_driver_sql(
            f"SELECT key, chunk, cardinality, bitmap {_OF_KEYS}", (collection_id, list(chunks), _keys(keys))
        )
        return cast("Sequence[tuple[str, int, int, bytes]]", result.fetchall())

    async def postings_and_parts(
        self,
        conn: AsyncConnection,
        collection_id: int,
        keys: Iterable[str],
        ranges: Sequence[tuple[str, str]],
        chunks: Sequence[int],
    ) -> tuple[Sequence[tuple[str, int, int, bytes]], list[list[tuple[int, int, bytes]]]]:
        if not ranges:
            return await self.postings_of(conn, collection_id, keys, chunks), []
        result = await conn.exec_driver_sql(
            _POSTINGS_AND_PARTS, (collection_id, list(chunks), _keys(keys), *_columns(ranges))
        )
        found: list[tuple[str, int, int, bytes]] = []
        parts: list[list[tuple[int, int, bytes]]] = [[] for _ in ranges]
        rows = cast("Sequence[tuple[int, str, int, int, bytes]]", result.fetchall())
        for place, key, chunk, cardinality, bitmap in rows:
            if place:
                parts[place - 1].append((chunk, cardinality, bitmap))
            else:
                found.append((key, chunk, cardinality, bitmap))
        return found, parts

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        await conn.exec_driver_sql(
            "DELETE FROM postings WHERE collection_id = $1 AND chunk = $2 AND key = ANY($3::text[])",
            (collection_id, chunk, list(keys)),
        )

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, hashes: Mapping[str, int]
    ) -> Sequence[tuple[str, int, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, number, digest FROM documents WHERE collection_id = $1 AND key_hash = ANY($2::bigint[])",
            (collection_id, list(hashes.values())),
        )
        rows = cast("Sequence[tuple[str, int, bytes]]", result.fetchall())
        return [row for row in rows if row[0] in hashes]

    async def documents_to_lock(
        self, conn: AsyncConnection, collection_id: int, hashes: Sequence[int]
    ) -> Sequence[tuple[int, str, bytes, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT number, key, digest, body FROM documents WHERE collection_id = $1 AND key_hash = ANY($2::bigint[])"
            " ORDER BY number FOR UPDATE",
            (collection_id, list(hashes)),
        )
        return cast("Sequence[tuple[int, str, bytes, bytes]]", result.fetchall())

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT number, key, body FROM documents WHERE collection_id = $1 AND number = ANY($2::bigint[])",
            (collection_id, list(numbers)),
        )
        return cast("Sequence[tuple[int, str, bytes]]", result.fetchall())

    async def add_frequencies(self, conn: AsyncConnection, rows: Sequence[tuple[int, str, int, int]]) -> None:
        if rows:
            await conn.exec_driver_sql(
                "INSERT INTO vocabulary (collection_id, term, frequency, version)"
                " SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::bigint[])"
                " ON CONFLICT (collection_id, term)"
                " DO UPDATE SET frequency = vocabulary.frequency + excluded.frequency",
                _columns(rows),
            )

    async def delete_unused_terms(self, conn: AsyncConnection, collection_id: int, terms: Sequence[str]) -> None:
        await conn.exec_driver_sql(
            "DELETE FROM vocabulary WHERE collection_id = $1 AND term = ANY($2::text[]) AND frequency <= 0",
            (collection_id, list(terms)),
        )

    async def terms_since(self, conn: AsyncConnection, collection_id: int, version: int) -> Sequence[tuple[str, int]]:
        result = await conn.exec_driver_sql(
            "SELECT term, frequency FROM vocabulary WHERE collection_id = $1 AND version > $2 ORDER BY term",
            (collection_id, version),
        )
        return cast("Sequence[tuple[str, int]]", result.fetchall())


def _keys(keys: Iterable[str]) -> list[str]:
    # A filter may name any text; PostgreSQL takes no NUL, and no key has one.
    return [key for key in keys if "\0" not in key]


def _columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


STATEMENTS = PostgresStatements()
