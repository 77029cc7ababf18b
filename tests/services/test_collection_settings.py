"""What an owner sets for a collection: roles, the order of facets, and what makes the index anew, in the background."""

import asyncio
import json
from pathlib import Path

import pytest

from livesearch.domain import OPERATOR, JobState, JobTask, Role, SearchQuery, VisibilityRule, VisibleTo
from livesearch.errors import ConflictError, InvalidInputError
from livesearch.services import Services, build_services
from livesearch.services.imports import ImportOptions
from livesearch.services.ranking import NO_FIELD, RankingChange
from tests.indexes import checked_documents

ROWS = [
    {
        "id": f"g{number}",
        "title": f"Racing {number}",
        "maker": ["Sega", "Atari", "NEC"][number % 3],
        "platform": ["Saturn", "Jaguar"][number % 2],
        "notes": f"fast {number}",
        "score": number,
    }
    for number in range(12)
]
ROLES = {
    "title": Role.TITLE,
    "maker": Role.FACET,
    "platform": Role.FACET,
    "notes": Role.HIDDEN,
    "score": Role.SORT,
}
PATIENCE = 60.0


@pytest.fixture
async def site(services: Services, tmp_path: Path) -> Services:
    """A store whose jobs have a folder of their own."""
    path = tmp_path / "games.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    database = services.transactions.database
    settings = database.settings.model_copy(update={"upload_folder": str(tmp_path / "uploads")})
    built = build_services(settings, database)
    await built.imports.run(str(path), ImportOptions(name="games", key="id", roles=ROLES))
    return built


async def run_jobs(site: Services) -> list[JobState]:
    async with site.import_jobs.running(), asyncio.timeout(PATIENCE):
        while await site.import_jobs.list_running(OPERATOR):  # noqa: ASYNC110  # another process tells
            await asyncio.sleep(0.02)
    return [job.state for job in await site.import_jobs.list_all(OPERATOR)]


async def totals(site: Services, *texts: str) -> list[int]:
    # Word by word, or misspelled words would find what is not searched.
    return [(await site.search.search("games", SearchQuery(text, is_verbatim=True))).total for text in texts]


async def test_other_roles_are_saved_at_once_and_indexed_in_the_background(site: Services) -> None:
    before = await totals(site, "fast", "sega")
    roles = {"notes": Role.TEXT, "maker": Role.HIDDEN, "title": Role.TITLE}
    job = await site.collection_settings.save_fields("games", roles, [], by="Ann")
    states = await run_jobs(site)
    page = await site.search.search("games", SearchQuery())

    assert before == [0, 4]
    assert job
    assert (job.task, job.state, job.created_by) == (JobTask.REINDEX, JobState.WAITING, "Ann")
    assert states == [JobState.DONE]
    assert await totals(site, "fast", "sega") == [12, 0]
    assert [facet.field.name for facet in page.facets] == ["platform"]
    assert len(await checked_documents(site.transactions, "games")) == 12
    assert await site.integrity.check() == []


async def test_roles_that_stay_make_no_index_anew(site: Services) -> None:
    version = (await site.collections.get("games")).tuning_version
    job = await site.collection_settings.save_fields("games", ROLES, ["maker", "platform"], by=None)

    assert job is None
    assert await site.import_jobs.list_all() == ()
    assert (await site.collections.get("games")).tuning_version >= version


async def test_facets_come_in_the_order_that_was_chosen_and_keep_it_in_a_replacement(
    site: Services, tmp_path: Path
) -> None:
    await site.collection_settings.save_fields("games", {}, ["platform", "maker"], by=None)
    page = await site.search.search("games", SearchQuery())
    await site.imports.run(
        str(tmp_path / "games.jsonl"), ImportOptions(name="games", key="id", roles=ROLES, replace=True)
    )
    replaced = await site.search.search("games", SearchQuery())

    assert [facet.field.name for facet in page.facets] == ["platform", "maker"]
    assert [facet.field.name for facet in replaced.facets] == ["platform", "maker"]


@pytest.mark.parametrize(
    ("roles", "complaint"),
    [
        ({"title": Role.DATE}, "“title” cannot have the role date: its values allow title, text, facet, url, hidden."),
        ({"score": Role.TITLE}, "“score” cannot have the role title: its values allow sort, facet, hidden."),
        ({"id": Role.TITLE}, "“id” cannot have the role title: its values allow key."),
        ({"title": Role.KEY}, "“title” cannot have the role key"),
        ({"nonsense": Role.TEXT}, "There is no field “nonsense” in “games”."),
    ],
)
async def test_roles_that_values_cannot_have_are_refused(
    site: Services, roles: dict[str, Role], complaint: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await site.collection_settings.save_fields("games", {"notes": Role.TEXT, **roles}, [], by=None)

    assert str(refused.value).startswith(complaint)
    assert await site.import_jobs.list_all() == ()
    notes = (await site.collections.get("games")).field("notes")
    assert notes
    assert notes.role is Role.HIDDEN


async def test_what_ranked_by_a_field_lets_go_of_it_with_its_role(site: Services) -> None:
    await site.ranking.change("games", RankingChange(popularity_field="score"))
    await site.collection_settings.save_fields("games", {"score": Role.HIDDEN}, [], by=None)
    await run_jobs(site)

    assert (await site.collections.get("games")).popularity_field is None
    assert len((await site.search.search("games", SearchQuery("racing"))).hits) == 12


async def test_typo_tolerance_is_indexed_in_the_background_and_cannot_be_cancelled(site: Services) -> None:
    assert (await site.search.search("games", SearchQuery("racign"))).total == 12
    job = await site.collection_settings.save_ranking(
        "games", RankingChange(weights={"title": 7.0}, typos={"title": False}), by=None
    )
    assert job
    with pytest.raises(ConflictError, match="Wait for the end"):
        await site.import_jobs.cancel(job.id)
    states = await run_jobs(site)

    assert states == [JobState.DONE]
    assert (await site.search.search("games", SearchQuery("racign"))).total == 0


async def test_weights_alone_need_no_job(site: Services) -> None:
    job = await site.collection_settings.save_ranking("games", RankingChange(weights={"title": 7.0}), by=None)

    assert job is None
    title = (await site.collections.get("games")).field("title")
    assert title
    assert title.weight == 7.0


async def test_a_rule_by_a_field_hides_rows_until_the_job_is_done(site: Services) -> None:
    rule = VisibilityRule(VisibleTo.GROUPS, field="maker")
    job = await site.collection_settings.save_visibility("games", rule, by=None)

    assert job
    assert await totals(site, "racing") == [0]
    assert await run_jobs(site) == [JobState.DONE]
    assert (await site.collections.get("games")).settings.visibility == rule


async def test_a_comparison_shows_what_would_be_and_saves_nothing(site: Services) -> None:
    await site.ranking.change("games", RankingChange(popularity_field=NO_FIELD))
    change = RankingChange(popularity_field="score", popularity_weight=100.0)
    before, after = await site.search.compare("games", SearchQuery("racing", page_size=3), change)

    assert [hit.key for hit in before.hits] == ["g0", "g1", "g2"]
    assert [hit.key for hit in after.hits] == ["g11", "g10", "g9"]
    again = await site.search.search("games", SearchQuery("racing", page_size=3))
    assert [hit.key for hit in again.hits] == ["g0", "g1", "g2"]


async def test_a_collection_is_removed_when_its_name_was_typed(site: Services) -> None:
    with pytest.raises(InvalidInputError, match="Nothing is removed"):
        await site.collection_settings.drop("games", typed_name="Games")
    assert len(await site.collections.list_all()) == 1
    await site.collection_settings.drop("games", typed_name=" games ")

    assert await site.collections.list_all() == ()
