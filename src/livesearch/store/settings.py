"""What an owner chose for a collection, beside its documents."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, CollectionSettings, Field, Role
from livesearch.models import api_tokens, audit, collections, curations, imports, synonyms
from livesearch.store.saved_searches import move_saved_searches


async def advance_version(conn: AsyncConnection, collection_id: int) -> int:
    """Move the change token for a change of tuning, which touches no document, and give the new version."""
    moved = (
        update(collections)
        .where(collections.c.id == collection_id)
        .values(version=collections.c.version + 1, tuning_version=collections.c.version + 1)
        .returning(collections.c.version)
    )
    version = int((await conn.execute(moved)).scalar_one())
    # An import after which no document was changed stays so: run again, it need not read its source.
    last = (imports.c.collection_id == collection_id) & (imports.c.version == version - 1)
    await conn.execute(update(imports).where(last).values(version=version))
    return version


async def save_ranking(
    conn: AsyncConnection,
    collection_id: int,
    *,
    settings: CollectionSettings,
    fields: Sequence[Field],
    popularity_field: str | None,
) -> None:
    """Set how a collection ranks."""
    await conn.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(
            settings=asdict(settings), fields=[asdict(field) for field in fields], popularity_field=popularity_field
        )
    )


async def carry_over(conn: AsyncConnection, replaced: Collection, built: Collection) -> None:
    """Give a collection the settings, tuning, tokens, audit trail and saved searches of the one it replaces."""
    settings, field = replaced.settings, built.field(replaced.settings.recency_field or "")
    if field is None or field.role is not Role.DATE:
        settings = replace(settings, recency_field=None)
    kept = {"settings": asdict(settings), "tuning_version": replaced.tuning_version}
    await conn.execute(update(collections).where(collections.c.id == built.id).values(**kept))
    for table in (synonyms, curations, api_tokens, audit):
        await conn.execute(update(table).where(table.c.collection_id == replaced.id).values(collection_id=built.id))
    await move_saved_searches(conn, replaced, built)
