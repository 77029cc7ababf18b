"""Migrations make the tables that the models describe, and go up and down."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.errors import SchemaOutdatedError
from livesearch.models import metadata
from livesearch.services import build_services
from livesearch.store.schema import SchemaState, _config, schema_state


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def _downgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_migrations_make_what_the_models_describe_and_undo_it(store_url: str) -> None:
    database = Database(Settings(store_url=store_url))
    transactions = build_services(database.settings, database).transactions

    assert await transactions.upgrade() is SchemaState.EMPTY
    async with database.write() as conn:
        assert await schema_state(conn) is SchemaState.CURRENT
        assert await conn.run_sync(_differences) == []
        await conn.run_sync(_downgrade)
        assert await schema_state(conn) is SchemaState.EMPTY
    assert await transactions.upgrade() is SchemaState.EMPTY
    assert await transactions.upgrade() is SchemaState.CURRENT

    await database.close()


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("UPDATE alembic_version SET version_num = 'ffff'", SchemaState.UNKNOWN),
        ("DROP TABLE alembic_version", SchemaState.UNKNOWN),
    ],
)
async def test_stores_of_another_make_are_refused_and_left_alone(
    sqlite_url: str, statement: str, state: SchemaState
) -> None:
    database = Database(Settings(store_url=sqlite_url))
    services = build_services(database.settings, database)
    await services.transactions.upgrade()
    async with database.write() as conn:
        await conn.exec_driver_sql(statement)
    fresh = build_services(database.settings, database)

    assert await fresh.transactions.schema() is state
    with pytest.raises(SchemaOutdatedError, match="newer livesearch"):
        await fresh.transactions.upgrade()
    with pytest.raises(SchemaOutdatedError, match="newer livesearch"):
        await fresh.collections.list_all()
    readiness = await fresh.health.check()
    assert not readiness.is_ready
    assert "newer livesearch" in readiness.problems[0]

    await database.close()


async def test_an_empty_store_says_how_to_set_it_up(sqlite_url: str) -> None:
    database = Database(Settings(store_url=sqlite_url))
    services = build_services(database.settings, database)

    with pytest.raises(SchemaOutdatedError, match="livesearch db upgrade"):
        await services.collections.list_all()
    await services.transactions.upgrade(only_if_empty=True)
    assert await services.collections.list_all() == ()
    assert (await services.health.check()).is_ready

    await database.close()


async def test_postgresql_keeps_bitmaps_as_they_are(postgres_url: str) -> None:
    database = Database(Settings(store_url=postgres_url))
    await build_services(database.settings, database).transactions.upgrade()
    async with database.read() as conn:
        storage = await conn.exec_driver_sql(
            "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'postings'::regclass AND attname = 'bitmap'"
        )
        found = storage.scalar_one()
    await database.close()

    assert found == "e"  # external: never compressed
