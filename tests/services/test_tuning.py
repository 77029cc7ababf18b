"""Synonyms, curations and ranking settings, on both stores."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import event

from livesearch.domain import CollectionSettings, Curation, Role, Scope, Synonym
from livesearch.errors import (
    CollectionNotFoundError,
    ConflictError,
    DocumentNotFoundError,
    InvalidInputError,
    NotFoundError,
    SourceError,
)
from livesearch.search.curations import CurationsOfQuery
from livesearch.search.synonyms import SynonymSpan
from livesearch.services import Services
from livesearch.services.imports import ImportOptions, ImportProgress
from livesearch.services.ranking import NO_FIELD, RankingChange
from livesearch.services.reindexing import ReindexingProgress
from livesearch.services.tuning import Tuning, TuningCache
from livesearch.store.settings import save_ranking
from livesearch.store.vocabulary import load_vocabulary
from tests.conftest import WriteRows

_ROLES = {"title": Role.TITLE, "maker": Role.FACET, "users": Role.SORT, "released": Role.DATE, "secret": Role.HIDDEN}
_ROWS: list[dict[str, object]] = [
    {
        "id": f"k{number}",
        "title": f"Title {number}",
        "maker": "Sega",
        "users": number,
        "released": f"2001-01-{number + 1:02}",
        "secret": "s",
    }
    for number in range(5)
]


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> Services:
    """Services over a store with a small collection."""
    await services.imports.run(write_rows("games", _ROWS), ImportOptions(key="id", roles=_ROLES))
    return services


async def version(services: Services) -> int:
    return (await services.collections.get("games")).version


async def test_synonyms_are_folded_kept_and_removed(games: Services) -> None:
    added = await games.synonyms.add("games", "TV", ["Télévision", "T.V. set"], is_two_way=False)
    other = await games.synonyms.add("games", "PS5", ["PlayStation 5"])

    assert added == Synonym(added.id, "tv", ("television", "t v set"), is_two_way=False)
    assert await games.synonyms.list_all("games") == (added, other)

    await games.synonyms.remove("games", added.id)

    assert await games.synonyms.list_all("games") == (other,)
    for gone in (added.id, 2**40):
        with pytest.raises(NotFoundError, match=f"There is no synonym {gone}"):
            await games.synonyms.remove("games", gone)


@pytest.mark.parametrize(
    ("words", "alternatives", "message"),
    [
        ("!?", ["tv"], "“!\\?” has no word in it"),
        ("tv", ["…"], "“…” has no word in it"),
        ("tv", ["TV", "tv!"], "“tv” would stand for itself only"),
        ("tv", [" ".join(["long"] * 13)], "has more than 12 words"),
        ("tv", [f"a{number}" for number in range(51)], "“tv” would stand for 51 others, at most 50"),
    ],
)
async def test_synonyms_that_say_nothing_or_too_much_are_refused(
    games: Services, words: str, alternatives: list[str], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await games.synonyms.add("games", words, alternatives)

    assert await games.synonyms.list_all("games") == ()


async def test_a_synonym_that_is_there_already_is_refused(games: Services) -> None:
    await games.synonyms.add("games", "tv", ["television", "tele"])
    await games.synonyms.add("games", "tv", ["television", "tele"], is_two_way=False)

    with pytest.raises(InvalidInputError, match="television, tele, tv is a synonym of “games” already"):
        await games.synonyms.add("games", "Television", ["tele", "TV"])
    with pytest.raises(InvalidInputError, match="tv => tele, television is a synonym of “games” already"):
        await games.synonyms.add("games", "tv", ["tele", "television"], is_two_way=False)


async def test_a_file_of_synonyms_adds_what_is_new(games: Services) -> None:
    data = b"# consoles\nps5, playstation 5\ntv, telly => television\nPS5, PlayStation 5\n"

    first = await games.synonyms.add_file("games", data)
    again = await games.synonyms.add_file("games", data + b"snes, super nintendo\n")

    assert (first.added, first.known, again.added, again.known) == (3, 1, 1, 4)
    assert [(s.words, s.alternatives, s.is_two_way) for s in await games.synonyms.list_all("games")] == [
        ("ps5", ("playstation 5",), True),
        ("tv", ("television",), False),
        ("telly", ("television",), False),
        ("snes", ("super nintendo",), True),
    ]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"a, b\nlonely", SourceError, "Line 2 is no synonym: “lonely”"),
        (b"a, b\nc, !!", InvalidInputError, "Line 2 of the synonyms: “!!” has no word"),
        (b"".join(b"a%d, b%d\n" % (n, n) for n in range(1001)), InvalidInputError, "1,000 synonyms at most.* 1,001"),
    ],
)
async def test_a_file_of_synonyms_is_taken_whole_or_not_at_all(
    games: Services, data: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await games.synonyms.add_file("games", data)

    assert await games.synonyms.list_all("games") == ()


async def test_pins_take_the_first_free_place_or_the_one_that_is_asked_for(games: Services) -> None:
    await games.curations.pin("games", "Zelda II!", "k3", position=2)
    await games.curations.pin("games", "zelda ii", "k0")
    await games.curations.pin("games", "zelda ii", "k1")
    await games.curations.hide("games", "zelda ii", "k2")

    found = await games.curations.list_all("games")

    assert [(c.query, c.document_key, c.position) for c in found] == [
        ("zelda ii", "k0", 1),
        ("zelda ii", "k3", 2),
        ("zelda ii", "k1", 3),
        ("zelda ii", "k2", None),
    ]


async def test_a_document_is_pinned_or_hidden_once_a_query(games: Services) -> None:
    hidden = await games.curations.hide("games", "zelda", "k1")
    pinned = await games.curations.pin("games", "zelda", "k1", position=4)
    moved = await games.curations.pin("games", "zelda", "k1", position=1)

    assert (hidden.position, pinned.position, moved.position) == (None, 4, 1)
    assert await games.curations.list_all("games") == (Curation(hidden.id, "zelda", "k1", 1),)


async def test_two_documents_cannot_have_one_place(games: Services) -> None:
    await games.curations.pin("games", "zelda", "k1", position=1)

    with pytest.raises(ConflictError, match="“k1” is pinned to place 1 of “zelda”"):
        await games.curations.pin("games", "zelda", "k2", position=1)


@pytest.mark.parametrize(
    ("query", "key", "position", "error", "message"),
    [
        ("zelda", "absent", 1, DocumentNotFoundError, "There is no document “absent”"),
        ("zelda", "k1", 0, InvalidInputError, "0 is no place"),
        ("zelda", "k1", 101, InvalidInputError, "101 is no place"),
        ("?", "k1", 1, InvalidInputError, "1 to 12 words"),
        (" ".join(["long"] * 13), "k1", 1, InvalidInputError, "1 to 12 words"),
        ("zelda -link", "k1", 1, InvalidInputError, "leave out -words"),
    ],
)
async def test_pins_that_cannot_be_are_refused(
    games: Services, query: str, key: str, position: int, error: type[Exception], message: str
) -> None:
    before = await version(games)
    with pytest.raises(error, match=message):
        await games.curations.pin("games", query, key, position=position)

    assert await games.curations.list_all("games") == ()
    assert await version(games) == before


async def test_curations_are_removed_by_document_and_by_number(games: Services) -> None:
    await games.curations.pin("games", "zelda", "k1")
    hidden = await games.curations.hide("games", "zelda", "k2")

    unpinned = await games.curations.unpin("games", "ZELDA", "k1")
    removed = await games.curations.remove("games", hidden.id)

    assert (unpinned.document_key, removed) == ("k1", hidden)
    assert await games.curations.list_all("games") == ()
    with pytest.raises(NotFoundError, match="“k1” is neither pinned nor hidden for “zelda”"):
        await games.curations.unpin("games", "zelda", "k1")
    for gone in (hidden.id, 2**40):
        with pytest.raises(NotFoundError, match=f"There is no curation {gone}"):
            await games.curations.remove("games", gone)


async def test_ranking_settings_are_changed_one_by_one(games: Services) -> None:
    await games.ranking.change("games", RankingChange(popularity_field="users", popularity_weight=2.5))
    await games.ranking.change(
        "games",
        RankingChange(
            recency_field="released",
            recency_weight=1,
            recency_half_life_days=30,
            language="german",
            weights={"title": 20.0, "maker": 0.0},
        ),
    )

    found = await games.ranking.get("games")

    assert found.popularity_field == "users"
    assert found.settings == CollectionSettings(2.5, "released", 1.0, 30.0, "german")
    assert {f.name: f.weight for f in found.fields if f.name in {"title", "maker"}} == {"title": 20.0, "maker": 0.0}

    await games.ranking.change("games", RankingChange(popularity_field=NO_FIELD, recency_field=NO_FIELD))

    found = await games.ranking.get("games")
    assert (found.popularity_field, found.settings.recency_field, found.settings.recency_weight) == (None, None, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (RankingChange(popularity_field="maker"), "“maker” is not a number of “games”. Those that are: users."),
        (RankingChange(recency_field="users"), "“users” is not a date of “games”. Those that are: released."),
        (RankingChange(popularity_weight=101), "The weight of popularity cannot be 101"),
        (RankingChange(recency_weight=float("nan")), "The weight of recency cannot be nan"),
        (RankingChange(recency_half_life_days=0), "The half-life of recency cannot be 0 days"),
        (RankingChange(language="klingon"), "There are no word forms of “klingon”. Choose one of: none, arabic"),
        (RankingChange(weights={"title": -1}), "The weight of “title” cannot be -1"),
        (
            RankingChange(weights={"secret": 1}),
            "“secret” is not a searched field of “games”. Those that are: id, title",
        ),
        (RankingChange(typos={"users": False}), "“users” is not a searched field"),
    ],
)
async def test_ranking_settings_that_cannot_be_are_refused(
    games: Services, change: RankingChange, message: str
) -> None:
    before = await games.ranking.get("games")
    with pytest.raises(InvalidInputError) as refusal:
        await games.ranking.change("games", change)

    assert message in str(refusal.value)
    assert await games.ranking.get("games") == before


async def _vocabulary(services: Services) -> set[str]:
    async with services.transactions.read() as conn:
        return {term for term, _ in await load_vocabulary(conn, (await services.collections.get("games")).id)}


async def test_typo_tolerance_is_changed_in_the_index_too(games: Services) -> None:
    before = await _vocabulary(games)
    await games.ranking.change("games", RankingChange(typos={"maker": False}))
    without = await _vocabulary(games)
    faults = await games.integrity.check()
    await games.documents.put("games", "k1", {"title": "Atlantis", "maker": "Atari"})
    await games.ranking.change("games", RankingChange(typos={"maker": True}))

    assert {"title", "sega"} <= before
    assert without == before - {"sega"}
    assert await _vocabulary(games) == before | {"atlantis", "atari"}
    assert (faults, await games.integrity.check()) == ([], [])


async def test_typo_tolerance_that_was_interrupted_is_changed_again(games: Services) -> None:
    before = await games.ranking.get("games")
    async with games.transactions.write() as conn:  # and there the process ended
        fields = [replace(field, is_typo_tolerant=field.name != "maker") for field in before.fields]
        await save_ranking(conn, before.id, settings=before.settings, fields=fields, popularity_field=None)
    steps: list[ReindexingProgress] = []
    interrupted = await _vocabulary(games)

    await games.ranking.change("games", RankingChange(typos={"maker": False}), on_progress=steps.append)

    assert "sega" in interrupted
    assert "sega" not in await _vocabulary(games)
    assert steps == [ReindexingProgress("games", 5, 5)]


async def test_typo_tolerance_of_many_documents_needs_somebody_who_waits(games: Services) -> None:
    async with games.transactions.write() as conn:
        await conn.exec_driver_sql("UPDATE collections SET document_count = 32769")

    with pytest.raises(ConflictError, match="livesearch rank games --typos"):
        await games.ranking.change("games", RankingChange(typos={"maker": False}))

    assert all(field.is_typo_tolerant for field in (await games.ranking.get("games")).fields)
    await games.ranking.change("games", RankingChange(typos={"maker": True}, weights={"maker": 2}))


_CHANGES: dict[str, Callable[[Services], Awaitable[object]]] = {
    "synonym": lambda s: s.synonyms.add("games", "tv", ["television"]),
    "file": lambda s: s.synonyms.add_file("games", b"a, b"),
    "pin": lambda s: s.curations.pin("games", "zelda", "k1"),
    "hide": lambda s: s.curations.hide("games", "zelda", "k1"),
    "ranking": lambda s: s.ranking.change("games", RankingChange(popularity_weight=2)),
}


@pytest.mark.parametrize("change", list(_CHANGES.values()), ids=list(_CHANGES))
async def test_every_change_moves_the_version_and_leaves_the_import_the_last(
    games: Services, write_rows: WriteRows, change: Callable[[Services], Awaitable[object]]
) -> None:
    before = await version(games)
    await change(games)
    after = await version(games)
    read: list[object] = []
    options = ImportOptions(key="id", roles=_ROLES)
    again = await games.imports.run(write_rows("games", _ROWS), options, on_plan=read.append)

    assert after == before + 1
    assert (again.unchanged, await version(games), read) == (5, after, [])


@pytest.mark.parametrize("change", list(_CHANGES.values()), ids=list(_CHANGES))
async def test_only_collections_that_are_there_are_tuned(
    services: Services, change: Callable[[Services], Awaitable[object]]
) -> None:
    with pytest.raises(CollectionNotFoundError):
        await change(services)


async def _tuning(services: Services, cache: TuningCache) -> tuple[Tuning, int]:
    """What the cache gives, and the statements that took."""
    statements: list[str] = []
    async with services.transactions.read() as conn:
        collection = await services.collections.get("games")
        event.listen(conn.sync_connection, "before_cursor_execute", lambda *call: statements.append(call[2]))
        return await cache.get(conn, collection), len(statements)


async def test_tuning_is_read_once_a_change(games: Services) -> None:
    cache = TuningCache()
    nothing, nothing_count = await _tuning(games, cache)
    await games.synonyms.add("games", "tv", ["television"], is_two_way=False)
    await games.curations.pin("games", "zelda", "k1")
    first, first_count = await _tuning(games, cache)
    await games.documents.put("games", "k9", {"title": "One more"})
    second, second_count = await _tuning(games, cache)
    await games.curations.hide("games", "zelda", "k2")
    third, third_count = await _tuning(games, cache)

    assert (len(nothing.synonyms), nothing.curations) == (0, {})
    assert first.synonyms.alternatives(("tv",)) == (SynonymSpan(0, 1, (("television",),)),)
    assert first.curations == {"zelda": CurationsOfQuery(((1, "k1"),))}
    assert (nothing_count, first_count, second_count, third_count) == (0, 2, 0, 2)
    assert first is second
    assert third.curations == {"zelda": CurationsOfQuery(((1, "k1"),), frozenset({"k2"}))}


async def test_a_replacement_keeps_what_was_tuned(games: Services, write_rows: WriteRows) -> None:
    await games.synonyms.add("games", "tv", ["television"])
    await games.curations.pin("games", "zelda", "k1")
    _, secret = await games.tokens.create("one", Scope.ADMIN, collection="games")
    await games.ranking.change(
        "games",
        RankingChange(
            popularity_field="users", recency_field="released", weights={"title": 7.0}, typos={"maker": False}
        ),
    )
    before = await games.ranking.get("games")

    rows = [{**row, "maker": "Atari"} for row in _ROWS]
    await games.imports.run(write_rows("games", rows), ImportOptions(key="id", roles=_ROLES, replace=True))

    after = await games.ranking.get("games")
    assert after.id != before.id
    assert (after.settings, after.popularity_field) == (before.settings, "users")
    assert [(f.weight, f.is_typo_tolerant) for f in after.fields] == [
        (f.weight, f.is_typo_tolerant) for f in before.fields
    ]
    assert [s.words for s in await games.synonyms.list_all("games")] == ["tv"]
    assert [c.document_key for c in await games.curations.list_all("games")] == ["k1"]
    assert (await games.tokens.authenticate(f"Bearer {secret}")).collection == "games"


async def test_a_replacement_without_the_fields_has_none_of_their_settings(
    games: Services, write_rows: WriteRows
) -> None:
    await games.ranking.change("games", RankingChange(popularity_field="users", recency_field="released"))

    rows: list[dict[str, object]] = [{"id": row["id"], "title": row["title"]} for row in _ROWS]
    options = ImportOptions(key="id", roles={"title": Role.TITLE}, replace=True)
    await games.imports.run(write_rows("games", rows), options)

    found = await games.ranking.get("games")
    assert (found.popularity_field, found.settings.recency_field) == (None, None)


async def test_tuning_does_not_disturb_an_import_under_way(games: Services, write_rows: WriteRows) -> None:
    tuned: list[asyncio.Task[Synonym]] = []

    def tune(_: ImportProgress) -> None:
        """Called between a batch's being read and its being written."""
        tuned.append(asyncio.ensure_future(games.synonyms.add("games", "tv", ["television"])))

    rows = [{**row, "maker": "Atari"} for row in _ROWS]
    before = await version(games)
    source = write_rows("games", rows)
    report = await games.imports.run(source, ImportOptions(key="id", roles=_ROLES), on_progress=tune)
    await tuned[0]

    assert (report.updated, len(tuned), await version(games)) == (5, 1, before + 2)


async def test_dropped_collections_take_their_tuning_with_them(games: Services, write_rows: WriteRows) -> None:
    await games.synonyms.add("games", "tv", ["television"])
    await games.curations.pin("games", "zelda", "k1")
    await games.collections.drop("games")
    await games.imports.run(write_rows("games", _ROWS), ImportOptions(key="id", roles=_ROLES))

    assert await games.synonyms.list_all("games") == ()
    assert await games.curations.list_all("games") == ()
