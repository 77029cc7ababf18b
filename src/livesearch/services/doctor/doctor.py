"""Looks at the settings, the machine, the store and its collections."""

import time
from collections.abc import Awaitable, Callable

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import OPERATOR, Collection, SearchQuery, UserRole
from livesearch.errors import LivesearchError, SchemaOutdatedError
from livesearch.services import Services, upload_folder
from livesearch.services.doctor.findings import Finding, fault, note, ok, warning
from livesearch.services.doctor.surroundings import file_findings, mail_findings, missing_file, settings_findings

# Milliseconds a store on the same machine or in the same rack answers within, and a search.
_SLOW_STORE_MS, _SLOW_SEARCH_MS = 10.0, 100.0
_TIMES = 5


class Doctor:
    """Examines one installation. It changes nothing, but indexes what other programs wrote, as any search does."""

    def __init__(self, settings: Settings, database: Database, services: Services) -> None:
        self._settings, self._database, self._services = settings, database, services

    async def examine(self) -> list[Finding]:
        """Everything there is to say, the settings first. Never raises for what it finds."""
        settings = self._settings
        return [
            *settings_findings(settings),
            *await self._store_findings(),
            *await mail_findings(settings),
        ]

    async def _store_findings(self) -> list[Finding]:
        """The store and what is in it; without a store nothing else."""
        if (missing := missing_file(self._settings)) is not None:
            remedy = f"Make one: livesearch serve games.csv --store {missing}"
            return [fault("Store", f"There is none at {missing}.", remedy)]
        found = list(file_findings(self._settings, upload_folder(self._settings)))
        try:
            found.append(await self._answer_finding())
            collections = await self._services.collections.list_all(OPERATOR)
        except SchemaOutdatedError as error:
            return [*found, fault("Schema", "It is not that of this version.", str(error))]
        except LivesearchError as error:
            return [*found, fault("Store", str(error), "Is the server running, and LIVESEARCH_STORE_URL right?")]
        return [
            *found,
            *await self._account_findings(),
            *[finding for collection in collections for finding in await self._collection_findings(collection)],
            *([] if collections else [note("Collections", "There is none yet.", "livesearch import games.csv")]),
        ]

    async def _answer_finding(self) -> Finding:
        took = await _best_ms(self._database.ping)
        text = f"It answers in {took:.1f} ms."
        if took < _SLOW_STORE_MS:
            return ok("Store", text)
        return warning("Store", text, "Each search asks it several times: bring the server and the store together.")

    async def _account_findings(self) -> list[Finding]:
        accounts = await self._services.accounts.list_all()
        text = f"{len(accounts):,} account{'s' if len(accounts) != 1 else ''}"
        if any(user.role is UserRole.ADMIN and user.is_active for user in accounts):
            return [ok("Accounts", f"{text}, an administrator among them.")]
        remedy = "livesearch user add NAME --role admin"
        return [note("Accounts", f"{text}, none of them an active administrator.", remedy)]

    async def _collection_findings(self, collection: Collection) -> list[Finding]:
        name, services = collection.name, self._services
        try:
            table = await services.collections.followed_table(name)
            await services.search.search(name, SearchQuery(), viewer=OPERATOR)  # fills what the server has in memory
            took = await _best_ms(lambda: services.search.search(name, SearchQuery("a"), viewer=OPERATOR))
        except LivesearchError as error:
            return [fault(name, f"It cannot be searched. {error}", "livesearch db check says whether it is damaged.")]
        text = f"{collection.document_count:,} documents; a search takes {took:.0f} ms."
        followed = []
        if table and table.fault:
            followed = [
                fault(
                    name,
                    f"It does not follow the table {table.name}: {table.fault}",
                    f"Mend the table, or begin anew: livesearch drop {name}",
                )
            ]
        if took < _SLOW_SEARCH_MS:
            return [*followed, ok(name, text)]
        return [
            *followed,
            warning(name, text, "Is the machine busy, or its disk slow? docs/performance.md has figures."),
        ]


async def _best_ms(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds an answer takes, the best of some: what else the machine does only adds."""
    took = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - begun)
    return 1000 * min(took)
