"""All that an owner can set for a collection, as one page shows and saves it.

What makes the index anew does so in the background: it is a job, written in the transaction that makes it necessary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Curation, ImportJob, Role, Synonym, VisibilityRule
from livesearch.errors import InvalidInputError
from livesearch.services.collections import CollectionService
from livesearch.services.curations import CurationService
from livesearch.services.field_roles import FieldRoleService
from livesearch.services.jobs import ImportJobService
from livesearch.services.ranking import RankingChange, RankingService
from livesearch.services.synonyms import SynonymService
from livesearch.services.visibility import VisibilityService


@dataclass(frozen=True, slots=True)
class OwnersView:
    """A collection with all that was tuned."""

    collection: Collection
    synonyms: tuple[Synonym, ...]
    curations: tuple[Curation, ...]


@dataclass(frozen=True, slots=True)
class CollectionSettingsService:
    """Shows and saves what an owner sets. What saves gives the job that makes the index anew, where it must be."""

    collections: CollectionService
    ranking: RankingService
    roles: FieldRoleService
    visibility: VisibilityService
    synonyms: SynonymService
    curations: CurationService
    jobs: ImportJobService

    async def get(self, name: str) -> OwnersView:
        """What is set.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        return OwnersView(
            await self.ranking.get(name), await self.synonyms.list_all(name), await self.curations.list_all(name)
        )

    async def save_ranking(self, name: str, change: RankingChange, *, by: str | None) -> ImportJob | None:
        """Change how a collection ranks; see `RankingService.change`."""
        queue = _Queue(self.jobs, name, by)
        await self.ranking.change(name, change, later=queue.add)
        return queue.started()

    async def save_fields(
        self, name: str, roles: Mapping[str, Role], facet_order: Sequence[str], *, by: str | None
    ) -> ImportJob | None:
        """Change roles and the order of facets; see `FieldRoleService`. Facets that are none any more are left out."""
        queue = _Queue(self.jobs, name, by)
        changed = await self.roles.change(name, roles, later=queue.add)
        facets = {field.name for field in changed.by_role(Role.FACET)}
        order = tuple(field for field in facet_order if field in facets)
        if order != tuple(field.name for field in changed.facet_fields):
            await self.roles.order_facets(name, order)
        return queue.started()

    async def save_visibility(self, name: str, rule: VisibilityRule, *, by: str | None) -> ImportJob | None:
        """Say who may see which rows; see `VisibilityService.change`."""
        queue = _Queue(self.jobs, name, by)
        await self.visibility.change(name, rule, later=queue.add)
        return queue.started()

    async def drop(self, name: str, *, typed_name: str) -> None:
        """Remove a collection.

        Args:
            typed_name: What a person typed to confirm it.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: Something else was typed than the name.
            ConflictError: A table that is followed is in use.
        """
        if typed_name.strip() != name:
            raise InvalidInputError(f"Nothing is removed: to confirm it, type the name of the collection, “{name}”.")
        await self.collections.drop(name)


class _Queue:
    """Writes the job that makes an index anew, once."""

    def __init__(self, jobs: ImportJobService, name: str, by: str | None) -> None:
        self._jobs, self._name, self._by = jobs, name, by
        self._job: ImportJob | None = None

    async def add(self, conn: AsyncConnection) -> None:
        """Write it, in the transaction that makes it necessary."""
        self._job = await self._jobs.add_reindexing(conn, self._name, created_by=self._by)

    def started(self) -> ImportJob | None:
        """The job, which may begin now; None where there is none."""
        if self._job:
            self._jobs.wake()
        return self._job
