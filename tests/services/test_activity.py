"""Activity: what was changed lately, told together where it belongs together, and only to who may see all of it."""

import json
import time
from pathlib import Path

from livesearch.domain import ANYBODY, OPERATOR, Collection, Role, VisibilityRule, VisibleTo
from livesearch.services import Services
from livesearch.services.activity import together
from livesearch.services.imports import ImportOptions
from livesearch.store.journal import JournalCounts
from tests.conftest import WriteRows

GAMES: list[dict[str, object]] = [{"id": "1", "title": "Zelda"}, {"id": "2", "title": "Mario"}]


def collection(id_: int, name: str) -> Collection:
    return Collection(id_, name, 1, 0, (), None)


def test_changes_that_follow_each_other_closely_are_one() -> None:
    games, books = collection(1, "games"), collection(2, "books")
    entries = [
        JournalCounts(1, 1_000.0, 1, 0, 0),
        JournalCounts(2, 990.0, 0, 5, 0),
        JournalCounts(1, 800.0, 2, 1, 0),
        JournalCounts(1, 501.0, 0, 0, 3),
        JournalCounts(1, 100.0, 7, 0, 0),
        JournalCounts(3, 50.0, 1, 1, 1),
        JournalCounts(2, 40.0, 0, 0, 0),
    ]

    groups = together(entries, {1: games, 2: books})

    assert [(one.collection.name, one.at, one.new, one.changed, one.gone) for one in groups] == [
        ("games", 1_000.0, 3, 1, 3),
        ("books", 990.0, 0, 5, 0),
        ("games", 100.0, 7, 0, 0),
    ]


async def test_import_and_edits_are_told(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", GAMES), ImportOptions(key="id", roles={"title": Role.TITLE}))
    await services.documents.put("games", "1", {"title": "Zelda II"})
    await services.documents.delete("games", "2")

    (change,) = await services.activity.recent(ANYBODY)

    assert (change.collection.name, change.new, change.changed, change.gone) == ("games", 2, 1, 1)
    assert abs(change.at - time.time()) < 60


async def test_what_is_not_for_all_is_told_only_to_who_sees_all(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "games.jsonl"
    path.write_text("".join(json.dumps({**row, "owner": "ann"}) + "\n" for row in GAMES))
    await services.imports.run(str(path), ImportOptions(key="id", roles={"title": Role.TITLE}))
    await services.visibility.change("games", VisibilityRule(VisibleTo.OWNER, field="owner"))

    assert await services.activity.recent(ANYBODY) == ()
    assert len(await services.activity.recent(OPERATOR)) == 1


async def test_nothing_is_told_of_an_empty_store(services: Services) -> None:
    assert await services.activity.recent(ANYBODY) == ()
