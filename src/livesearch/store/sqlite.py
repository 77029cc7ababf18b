"""What SQLite says in its own way: many keys are one JSON parameter, many rows one executemany."""

# ruff: noqa: D102  # `dialect.Dialect` says what each statement does

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, cast

import orjson
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy import Insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from livesearch.db.sqlite import InterruptibleConnection, Statement
from livesearch.store.bitmaps import with_last
from livesearch.store.splicing import SHORT_COUNT

# Rows of one statement: 6,000 parameters at most, of the 32,766 that SQLite takes. A third of the time of
# `executemany`, which lets go of the interpreter's lock and takes it again for each row.
ROW_COUNT = 1000
# Rows that are handed over without waiting for them; more would fill the memory.
AHEAD_COUNT = 4096


def _driver(conn: AsyncConnection) -> InterruptibleConnection:
    assert conn.sync_connection is not None  # noqa: S101  # it is open
    driver = conn.sync_connection.connection.driver_connection
    assert isinstance(driver, InterruptibleConnection)  # noqa: S101  # of our own engine
    return driver


async def fetch(conn: AsyncConnection, *statements: Statement) -> list[list[Any]]:  # Any: as SQLite has it
    """Run statements of a search, past SQLAlchemy: its part costs more than what these ask for."""
    driver = _driver(conn)
    try:
        return await driver.fetch(*statements)
    except (sqlite3.Error, ValueError) as error:
        # Asked the usual way they fail again, and SQLAlchemy judges what that means for the connection. Not a writer's:
        # the failure may have ended its transaction, and they would begin another, without what was written before.
        if isinstance(error, sqlite3.Error) and not driver.is_reader:
            driver.fail(error)
    return [list((await conn.exec_driver_sql(sql, tuple(parameters))).fetchall()) for sql, parameters in statements]


def _postings_of(collection_id: int, keys: Iterable[str], chunks: Iterable[int]) -> Statement:
    # A join, for which SQLite does not first put the values into tables of their own: a quarter of the time.
    sql = (
        "SELECT postings.key, chunk, cardinality, bitmap"
        " FROM json_each(?2) AS chunks CROSS JOIN json_each(?3) AS keys CROSS JOIN postings"
        " ON collection_id = ?1 AND chunk = chunks.value AND postings.key = keys.value"
    )
    return sql, (collection_id, _json(chunks), _json(keys))


def _union_parts(collection_id: int, key_range: tuple[str, str], chunks: Iterable[int]) -> Statement:
    chosen = (
        "FROM postings WHERE collection_id = ?1 AND chunk IN (SELECT value FROM json_each(?2))"
        " AND key >= ?3 AND key < ?4 AND length(bitmap)"
    )
    # What puts bytes together here makes text of them: they go as hexadecimal digits.
    sql = (
        f"SELECT chunk, 0, group_concat(hex(bitmap), '') {chosen} = 2 * cardinality GROUP BY chunk"
        f" UNION ALL SELECT chunk, cardinality, bitmap {chosen} <> 2 * cardinality"
    )
    return sql, (collection_id, _json(chunks), *key_range)


class SqliteStatements:
    """See `dialect.Dialect`."""

    async def fetch(self, conn: AsyncConnection, sql: str, parameters: Sequence[Any]) -> list[Any]:  # Any: see above
        (rows,) = await fetch(conn, (sql, parameters))
        return rows

    async def put(
        self, conn: AsyncConnection, statement: Insert, rows: Iterable[Mapping[str, Any]]
    ) -> None:  # Any: see above
        for row in rows:
            sql, names = _compiled(statement, conn.dialect, tuple(row))
            _driver(conn).hand_over(sql, [row[name] for name in names])

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
        await _insert(
            conn,
            "INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap) VALUES",
            rows,
            "ON CONFLICT (collection_id, chunk, key)"
            " DO UPDATE SET cardinality = excluded.cardinality, bitmap = excluded.bitmap",
        )

    async def add_last(
        self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Sequence[str], low: bytes
    ) -> bool:
        driver = _driver(conn)
        driver.define(_WITH_LAST, with_last, 4)
        driver.hand_over(_ADD_LAST, (collection_id, chunk, _json(keys), low))
        return True

    async def put_documents(
        self, conn: AsyncConnection, rows: Sequence[tuple[int, int, str, int, bytes, bytes]]
    ) -> None:
        await _insert(
            conn,
            "INSERT INTO documents (collection_id, number, key, key_hash, body, digest) VALUES",
            rows,
            "ON CONFLICT (collection_id, number) DO UPDATE SET body = excluded.body, digest = excluded.digest",
        )

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[tuple[str, int, int, bytes]]:
        (rows,) = await fetch(conn, _postings_of(collection_id, keys, chunks))
        return rows

    async def postings_and_parts(
        self,
        conn: AsyncConnection,
        collection_id: int,
        keys: Iterable[str],
        ranges: Sequence[tuple[str, str]],
        chunks: Sequence[int],
    ) -> tuple[Sequence[tuple[str, int, int, bytes]], list[list[tuple[int, int, bytes]]]]:
        unions = [_union_parts(collection_id, key_range, chunks) for key_range in ranges]
        rows, *parts = await fetch(conn, _postings_of(collection_id, keys, chunks), *unions)
        return rows, [
            [(chunk, count, found if count else bytes.fromhex(found)) for chunk, count, found in some] for some in parts
        ]

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        _driver(conn).hand_over(
            "DELETE FROM postings WHERE collection_id = ? AND chunk = ? AND key IN (SELECT value FROM json_each(?))",
            (collection_id, chunk, _json(keys)),
        )

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, hashes: Mapping[str, int]
    ) -> Sequence[tuple[str, int, bytes]]:
        result = await conn.exec_driver_sql(
            "SELECT key, number, digest FROM documents"
            " WHERE collection_id = ? AND key_hash IN (SELECT value FROM json_each(?))",
            (collection_id, _json(hashes.values())),
        )
        rows = cast("Sequence[tuple[str, int, bytes]]", result.fetchall())
        return [row for row in rows if row[0] in hashes]

    async def documents_to_lock(
        self, conn: AsyncConnection, collection_id: int, hashes: Sequence[int]
    ) -> Sequence[tuple[int, str, bytes, bytes]]:
        # Nobody else writes meanwhile. Another program may have written texts, hence the casts.
        sql = (
            "SELECT number, key, CAST(digest AS BLOB), CAST(body AS BLOB) FROM documents"
            " WHERE collection_id = ? AND key_hash IN (SELECT value FROM json_each(?))"
        )
        (rows,) = await fetch(conn, (sql, (collection_id, _json(hashes))))
        return rows

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        sql = (
            "SELECT number, documents.key, body FROM json_each(?2) AS numbers CROSS JOIN documents"
            " ON collection_id = ?1 AND number = numbers.value"
        )
        (rows,) = await fetch(conn, (sql, (collection_id, _json(numbers))))
        return rows

    async def add_frequencies(self, conn: AsyncConnection, rows: Sequence[tuple[int, str, int, int]]) -> None:
        await _insert(
            conn,
            "INSERT INTO vocabulary (collection_id, term, frequency, version) VALUES",
            rows,
            "ON CONFLICT (collection_id, term) DO UPDATE SET frequency = frequency + excluded.frequency",
        )

    async def delete_unused_terms(self, conn: AsyncConnection, collection_id: int, terms: Sequence[str]) -> None:
        _driver(conn).hand_over(
            "DELETE FROM vocabulary"
            " WHERE collection_id = ? AND term IN (SELECT value FROM json_each(?)) AND frequency <= 0",
            (collection_id, _json(terms)),
        )

    async def terms_since(self, conn: AsyncConnection, collection_id: int, version: int) -> Sequence[tuple[str, int]]:
        # Told which index: SQLite would rather read all terms in their order than sort a few.
        index, newer = ("INDEXED BY ix_vocabulary_version", "AND version > ?") if version >= 0 else ("", "")
        result = await conn.exec_driver_sql(
            f"SELECT term, frequency FROM vocabulary {index} WHERE collection_id = ? {newer} ORDER BY term",  # noqa: S608  # our own words
            (collection_id, version)[: 2 if newer else 1],
        )
        return cast("Sequence[tuple[str, int]]", result.fetchall())


@lru_cache(maxsize=32)
def _compiled(statement: Insert, dialect: SqlDialect, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The SQL of a statement, and the names of its parameters in their order."""
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  # an insert
    assert compiled.positiontup  # noqa: S101  # its parameters have places on SQLite
    return str(compiled), tuple(compiled.positiontup)


# Half of the time that reading the postings, changing them and putting them back takes: each is looked for once. Most
# are plain numbers, behind which the new one is put as it is.
_WITH_LAST = "posting_with_last"
_ADD_LAST = f"""
    INSERT INTO postings (collection_id, chunk, key, cardinality, bitmap)
    SELECT ?1, ?2, value, 1, ?4 FROM json_each(?3) WHERE true
    ON CONFLICT (collection_id, chunk, key) DO UPDATE SET
        cardinality = cardinality + 1,
        bitmap = CASE
            WHEN length(bitmap) = 2 * cardinality AND cardinality < {SHORT_COUNT - 1}
            THEN CAST(bitmap || excluded.bitmap AS BLOB)
            ELSE {_WITH_LAST}(cardinality, bitmap, chunk, excluded.bitmap)
        END
"""  # noqa: S608  # our own words


async def _insert(conn: AsyncConnection, head: str, rows: Sequence[tuple[object, ...]], tail: str) -> None:
    """Insert rows, many with one statement."""
    for start in range(0, len(rows), ROW_COUNT):
        some = rows[start : start + ROW_COUNT]
        row = f"({', '.join('?' * len(some[0]))})"
        statement = f"{head} {', '.join([row] * len(some))} {tail}"
        parameters = tuple(chain.from_iterable(some))
        if len(rows) <= AHEAD_COUNT:
            _driver(conn).hand_over(statement, parameters)
        else:
            await conn.exec_driver_sql(statement, parameters)


def _json(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()


STATEMENTS = SqliteStatements()
