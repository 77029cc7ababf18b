"""Every commit is found by the very next search, in another process; a killed writer leaves the index consistent."""

import random

import pytest

from livesearch.domain import Role
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.faults.committing import AGE, Findings, follow

# Enough for each kind of commit, after the first ones, which only make documents.
COMMIT_COUNT = 4 * AGE + 40


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> Services:
    rows: list[dict[str, object]] = [{"id": f"g{n}", "title": f"Game {n}", "about": "Of old"} for n in range(20)]
    roles = {"title": Role.TITLE, "about": Role.TEXT}
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles=roles))
    return services


async def test_every_commit_is_found_by_the_next_search(games: Services) -> None:
    findings = Findings()
    await follow(games, 0, COMMIT_COUNT, findings, kill_after=COMMIT_COUNT + 1)

    assert findings.commits == COMMIT_COUNT
    assert findings.lost == []
    assert await games.integrity.check() == []


async def test_a_killed_writer_leaves_the_index_consistent(games: Services) -> None:
    findings, chance = Findings(), random.Random()  # noqa: S311  # moments, not secrets
    for run in range(3):
        kill_after = chance.randint(5, COMMIT_COUNT)
        await follow(games, 1000 * run, COMMIT_COUNT, findings, kill_after=kill_after)
        assert await games.integrity.check() == []

    assert findings.lost == []
