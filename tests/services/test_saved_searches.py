"""Saved searches: what is new in them is the difference that looking at every row would show."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from livesearch.domain import OPERATOR, Role, SavedSearch, SearchQuery, User, UserRole, VisibilityRule, VisibleTo
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.reference import ROLES, Question, Row, random_question, random_rows
from tests.services.conftest import LoadRows
from tests.services.foreign_program import ForeignProgram

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLED = {"title": Role.TITLE, "maker": Role.FACET}
GAMES: list[Row] = [
    {"id": "1", "title": "Zelda the beginning", "maker": "Nintendo"},
    {"id": "2", "title": "Mario World", "maker": "Nintendo"},
    {"id": "3", "title": "Sonic", "maker": "Sega"},
]
_NUMBERS = count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def user(store: Services) -> AsyncIterator[User]:
    added = await store.accounts.add(f"saver {next(_NUMBERS)}", "correct horse", role=UserRole.VIEWER)
    yield added
    await store.accounts.delete(added.name)


async def news(store: Services, user: User, saved: SavedSearch) -> tuple[int | None, int]:
    """What a search finds, and how much of it is new."""
    state = next(state for state in await store.saved_searches.overview(user) if state.saved.id == saved.id)
    assert state.fault == ""
    return state.total, state.new_count


@pytest.mark.parametrize("seed", range(4))
async def test_new_is_what_looking_at_every_row_would_show(  # one story
    store: Services, user: User, load_rows: LoadRows, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311  # the same rows each time
    rows = random_rows(chance, 30)
    name = await load_rows(store, rows, ROLES)
    by_key = {str(row["id"]): row for row in rows}
    questions: dict[int, Question] = {}
    seen: dict[int, set[int]] = {}
    # A document is another one once it was deleted, even under the same key.
    identities, numbers = {key: at for at, key in enumerate(by_key)}, count(len(rows))

    def found(question: Question) -> set[int]:
        return {identities[str(row["id"])] for row in question.found(list(by_key.values()))}

    for _ in range(6):
        question = random_question(chance)
        # Forms of words are left aside: the reference does not know them.
        question = replace(question, query=replace(question.query, is_verbatim=True, text=question.query.text.strip()))
        if question.query.text != "" and not question.query.text.endswith('"'):
            *others, last = question.pieces
            question = replace(question, pieces=(*others, last.unfinished))
        saved = await store.saved_searches.save(user, name, question.query)
        questions[saved.id], seen[saved.id] = question, found(question)

    for _ in range(16):
        act = chance.choice(("put", "put", "put", "delete", "mark", "mark all"))
        if act == "put":
            (row,) = random_rows(chance, 1)
            row["id"] = f"k{chance.randint(0, 40)}"
            row.setdefault("year", 1985)
            await store.documents.put(name, None, row)
            by_key[str(row["id"])] = row
            identities.setdefault(str(row["id"]), next(numbers))
        elif act == "delete" and len(by_key) > 1:
            key = chance.choice(list(by_key))
            await store.documents.delete(name, key)
            del by_key[key], identities[key]
        elif act == "mark":
            search_id = chance.choice(list(questions))
            await store.saved_searches.mark_seen(user, search_id)
            seen[search_id] = found(questions[search_id])
        elif act == "mark all":
            await store.saved_searches.mark_seen(user)
            seen = {search_id: found(question) for search_id, question in questions.items()}

        told = {state.saved.id: (state.total, state.new_count) for state in await store.saved_searches.overview(user)}
        expected = {}
        for search_id, question in questions.items():
            now = found(question)
            expected[search_id] = (len(now), len(now - seen[search_id]))
        assert told == expected, {questions[i].query for i in told if told[i] != expected[i]}


async def test_row_of_another_program_is_new_at_once(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery("zel"))
    assert await news(store, user, saved) == (1, 0)

    insert = (
        f"INSERT INTO documents (collection_id, key, body) SELECT id, $1, $2 FROM collections WHERE name = '{name}'"  # noqa: S608
    )
    body = json.dumps({"id": "4", "title": "Zelda again", "maker": "Nintendo"}).encode()
    await ForeignProgram(store.transactions.database.settings.store_url).execute(insert, "4", body)

    assert await news(store, user, saved) == (2, 1)


async def test_numbers_last_through_edits_of_others_and_a_new_index(
    store: Services, user: User, load_rows: LoadRows
) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery("zelda"))
    await store.documents.put(name, "4", {"title": "Zelda again", "maker": "Nintendo"})
    # Another program edits the row that has been seen.
    program = ForeignProgram(store.transactions.database.settings.store_url)
    update = f"UPDATE documents SET body = $1 WHERE key = '1' AND collection_id IN (SELECT id FROM collections WHERE name = '{name}')"  # noqa: E501, S608
    await program.execute(update, json.dumps({"title": "Zelda the end", "maker": "Nintendo"}).encode())
    edited = await news(store, user, saved)

    await store.reindexing.reindex(name)

    assert edited == (2, 1)
    assert await news(store, user, saved) == (2, 1)


async def test_rows_imported_anew_are_the_same_where_their_keys_are(
    store: Services, user: User, load_rows: LoadRows, tmp_path: Path
) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery(filters={"maker": ("Nintendo",)}))
    path = tmp_path / f"{name}.jsonl"
    rows = [GAMES[1], {"id": "0", "title": "New", "maker": "Nintendo"}, GAMES[0]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    await store.imports.run(str(path), ImportOptions(key="id", roles=TITLED, replace=True))

    assert await news(store, user, saved) == (3, 1)
    await store.saved_searches.mark_seen(user, saved.id)
    assert await news(store, user, saved) == (3, 0)


async def test_searches_go_with_their_collection_and_their_user(
    store: Services, user: User, load_rows: LoadRows
) -> None:
    name = await load_rows(store, GAMES, TITLED)
    other = await store.accounts.add(f"{user.name} too", "correct horse", role=UserRole.VIEWER)
    for owner in (user, other):
        await store.saved_searches.save(owner, name, SearchQuery("zelda"))

    await store.accounts.delete(other.name)
    assert await store.saved_searches.list_of(other) == []
    assert len(await store.saved_searches.list_of(user)) == 1
    await store.collections.drop(name)
    assert await store.saved_searches.list_of(user) == []


async def test_marking_shows_what_was_new_and_keeps_it_marked(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery("zelda"))
    for key in "456":
        await store.documents.put(name, key, {"title": f"Zelda {key}", "maker": "Nintendo"})
    assert await news(store, user, saved) == (4, 3)

    await store.saved_searches.mark_seen(user, saved.id)
    await store.documents.delete(name, "5")
    _, page = await store.saved_searches.fresh(user, saved.id)
    # Nothing is new: what was, stays.
    await store.saved_searches.mark_seen(user, saved.id)
    _, again = await store.saved_searches.fresh(user, saved.id)

    assert await news(store, user, saved) == (3, 0)
    assert ([hit.key for hit in page.hits], page.total) == (["6", "4"], 2)
    assert [hit.key for hit in again.hits] == ["6", "4"]


async def test_edit_that_still_matches_is_not_new_and_one_that_does_now_is(
    store: Services, user: User, load_rows: LoadRows
) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery("zelda"))

    await store.documents.put(name, "1", {"title": "Zelda the end", "maker": "Nintendo"})
    still = await news(store, user, saved)
    await store.documents.put(name, "3", {"title": "Zelda and Sonic", "maker": "Sega"})

    assert still == (1, 0)
    assert await news(store, user, saved) == (2, 1)


async def test_corrected_words_are_saved_as_they_were_searched(
    store: Services, user: User, load_rows: LoadRows
) -> None:
    name = await load_rows(store, GAMES, TITLED)

    saved = await store.saved_searches.save(user, name, SearchQuery("zedla "))
    typed = await store.saved_searches.save(user, name, SearchQuery("zedla ", is_verbatim=True))

    assert (saved.query.text.strip(), saved.name) == ("zelda", "zelda")
    assert await news(store, user, saved) == (1, 0)
    assert await news(store, user, typed) == (0, 0)


async def test_rows_that_were_perhaps_meant_are_never_new(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    saved = await store.saved_searches.save(user, name, SearchQuery("sonic "))

    await store.documents.put(name, "4", {"title": "Sonik", "maker": "Sega"})

    # The page of the search shows it; it does not hold the word.
    assert (await store.search.search(name, SearchQuery("sonic "))).total >= 1
    assert await news(store, user, saved) == (1, 0)


async def test_names_come_from_the_search_and_can_be_changed(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    everything = await store.saved_searches.save(user, name, SearchQuery())
    narrowed = await store.saved_searches.save(user, name, SearchQuery("zelda", filters={"maker": ("Nintendo",)}))
    named = await store.saved_searches.save(user, name, SearchQuery("zelda"), "  My\n games ")

    await store.saved_searches.change(user, named.id, name="Ours")
    await store.saved_searches.change(user, narrowed.id, name=" ")

    odd = await store.saved_searches.save(user, name, SearchQuery("zelda\r\n\0Bcc: x", filters={"maker": ("A\nB",)}))

    collection = await store.collections.get(name)
    assert odd.name == "zelda Bcc: x, A B"
    await store.saved_searches.delete(user, odd.id)
    assert (everything.name, narrowed.name, named.name) == (collection.label, "zelda, Nintendo", "My games")
    assert [saved.name for saved in await store.saved_searches.list_of(user)] == [
        collection.label,
        "zelda, Nintendo",
        "Ours",
    ]
    with pytest.raises(InvalidInputError, match="100 characters at most, and this one 101"):
        await store.saved_searches.change(user, named.id, name="x" * 101)


async def test_fifty_is_enough_also_at_once(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    for _ in range(47):
        await store.saved_searches.save(user, name, SearchQuery())

    results = await asyncio.gather(
        *(store.saved_searches.save(user, name, SearchQuery("zelda")) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(result, ConflictError) for result in results) == 2
    assert len(await store.saved_searches.list_of(user)) == 50


async def test_searches_of_others_are_not_there(store: Services, user: User, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, TITLED)
    other = await store.accounts.add(f"{user.name} too", "correct horse", role=UserRole.VIEWER)
    saved = await store.saved_searches.save(other, name, SearchQuery("zelda"))

    for attempt in (
        store.saved_searches.mark_seen(user, saved.id),
        store.saved_searches.fresh(user, saved.id),
        store.saved_searches.change(user, saved.id, name="mine"),
        store.saved_searches.delete(user, saved.id),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    await store.saved_searches.delete(other, saved.id)
    assert await store.saved_searches.list_of(other) == []
    await store.accounts.delete(other.name)


async def test_search_whose_field_is_gone_says_so_and_hides_no_other(
    store: Services, user: User, load_rows: LoadRows, tmp_path: Path
) -> None:
    name = await load_rows(store, GAMES, TITLED)
    await store.saved_searches.save(user, name, SearchQuery(filters={"maker": ("Sega",)}), "by maker")
    await store.saved_searches.save(user, name, SearchQuery("zelda"), "by word")
    path = tmp_path / f"{name}.jsonl"
    path.write_text(json.dumps({"id": "1", "title": "Zelda"}) + "\n")
    await store.imports.run(str(path), ImportOptions(key="id", roles={"title": Role.TITLE}, replace=True))

    by_maker, by_word = await store.saved_searches.overview(user)
    await store.saved_searches.mark_seen(user)

    assert by_maker.total is None
    assert "maker" in by_maker.fault
    assert (by_word.total, by_word.fault) == (1, "")
    with pytest.raises(InvalidInputError, match="maker"):
        await store.saved_searches.mark_seen(user, by_maker.saved.id)


async def test_phrases_are_checked_to_the_last(store: Services, user: User, load_rows: LoadRows) -> None:
    rows = [{"id": f"{at:04}", "title": "blue and red"} for at in range(1_200)]
    name = await load_rows(store, [*rows, {"id": "last", "title": "red and blue"}], {"title": Role.TITLE})

    saved = await store.saved_searches.save(user, name, SearchQuery('"red and blue"'))

    # The page looks at a thousand documents and says “≥”; here all are looked at.
    assert await news(store, user, saved) == (1, 0)


async def test_rows_that_one_may_not_see_never_count(store: Services, user: User, load_rows: LoadRows) -> None:
    rows = [{**row, "teams": ["red"] if row["id"] == "1" else ["blue"]} for row in GAMES]
    name = await load_rows(store, rows, {**TITLED, "teams": Role.FACET})
    await store.visibility.change(name, VisibilityRule(VisibleTo.GROUPS, None, "teams"))
    red = await store.accounts.set_groups(user.name, ["red"])
    saved = await store.saved_searches.save(red, name, SearchQuery())
    assert await news(store, red, saved) == (1, 0)

    for key, team in (("4", "blue"), ("5", "red"), ("6", "blue")):
        await store.documents.put(name, key, {"title": f"Zelda {key}", "teams": [team]}, viewer=OPERATOR)
    hidden = await news(store, red, saved)
    # What becomes visible is new, for it was not seen; what no longer is, is not there.
    await store.documents.put(name, "2", {"title": "Mario World", "teams": ["red"]}, viewer=OPERATOR)
    await store.documents.put(name, "1", {"title": "Zelda the beginning", "teams": ["blue"]}, viewer=OPERATOR)
    moved = await news(store, red, saved)
    both = await store.accounts.set_groups(user.name, ["red", "blue"])
    all_of_it = await news(store, both, saved)
    await store.saved_searches.mark_seen(red, saved.id)
    _, page = await store.saved_searches.fresh(red, saved.id)

    assert (hidden, moved, all_of_it) == ((2, 1), (2, 2), (6, 5))
    assert [hit.key for hit in page.hits] == ["5", "2"]
    assert await news(store, both, saved) == (6, 4)
