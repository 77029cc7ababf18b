"""The schema: what revision a store has, and bringing it to the one this code needs."""

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

import livesearch.migrations
from livesearch.models import collections
from livesearch.store.collections import INDEX_VERSION, REPLACEMENT_SUFFIX


class SchemaState(Enum):
    """How a store's schema stands to this code."""

    EMPTY = "empty"
    CURRENT = "current"
    OUTDATED = "outdated"
    # The tables are those of this code, but an index is not what it makes: it must be made anew.
    STALE = "stale"
    # Made by a newer livesearch, or not by livesearch at all.
    UNKNOWN = "unknown"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(livesearch.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


async def schema_state(conn: AsyncConnection) -> SchemaState:
    """Compare the store's revision with the newest migration."""
    return await conn.run_sync(_state)


def _state(connection: Connection) -> SchemaState:
    revision = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    if revision == script.get_current_head():
        return _index_state(connection)
    if revision is None:
        return SchemaState.UNKNOWN if inspect(connection).has_table("collections") else SchemaState.EMPTY
    known = {found.revision for found in script.walk_revisions()}
    return SchemaState.OUTDATED if revision in known else SchemaState.UNKNOWN


def _index_state(connection: Connection) -> SchemaState:
    # A replacement that is being built is not searched; the import that goes on with it looks for itself.
    query = select(collections.c.index_version).where(~collections.c.name.endswith(REPLACEMENT_SUFFIX)).distinct()
    versions = set(connection.execute(query).scalars()) - {INDEX_VERSION}
    if not versions:
        return SchemaState.CURRENT
    return SchemaState.UNKNOWN if max(map(abs, versions)) > INDEX_VERSION else SchemaState.STALE


async def upgrade_schema(conn: AsyncConnection) -> None:
    """Run the migrations that are missing, in the connection's transaction."""
    await conn.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def file_faults(conn: AsyncConnection) -> list[str]:
    """What SQLite finds wrong with its file; other stores look after their own."""
    if conn.dialect.name != "sqlite":
        return []
    found = (await conn.exec_driver_sql("PRAGMA integrity_check")).scalars().all()
    return [] if found == ["ok"] else [f"The file is damaged: {fault}" for fault in found]
