"""The schema: what revision a store has, and bringing it to the one this code needs."""

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

import livesearch.migrations


class SchemaState(Enum):
    """How a store's schema stands to this code."""

    EMPTY = "empty"
    CURRENT = "current"
    OUTDATED = "outdated"
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
        return SchemaState.CURRENT
    if revision is None:
        return SchemaState.UNKNOWN if inspect(connection).has_table("collections") else SchemaState.EMPTY
    known = {found.revision for found in script.walk_revisions()}
    return SchemaState.OUTDATED if revision in known else SchemaState.UNKNOWN


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
