"""Searching, on both stores, against a reference that looks at every row."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.db import READER_COUNT
from livesearch.db.sqlite import InterruptibleConnection
from livesearch.domain import Hit, Range, ResultPage, Role, SearchQuery
from livesearch.errors import CollectionNotFoundError, InvalidInputError, OverloadedError, QueryTimeoutError
from livesearch.search.analysis import words
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.indexes import checked_documents
from tests.reference import ROLES, Question, Row, random_question, random_rows, values_of
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

_QUESTION_COUNT = 60


def _chances(seed: int, row_count: int) -> tuple[list[Row], Iterator[Question]]:
    """Rows and questions made by chance."""
    chance = Random(seed)  # noqa: S311  # rows, not secrets
    rows = random_rows(chance, row_count)
    return rows, (random_question(chance) for _ in range(_QUESTION_COUNT))


async def _verbatim(store: Services, name: str, question: Question) -> ResultPage:
    return await store.search.search(name, replace(question.query, is_verbatim=True, page_size=100))


@pytest.mark.parametrize(("seed", "row_count"), [(1, 90), (2, 60), (3, 6), (4, 1)])
async def test_search_equals_looking_at_every_row(
    store: Services, load_rows: LoadRows, seed: int, row_count: int
) -> None:
    rows, questions = _chances(seed, row_count)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        expected = {str(row["id"]) for row in question.found(rows)}
        page = await _verbatim(store, name, question)

        assert {hit.key for hit in page.hits} == expected, question.query
        assert (page.total, page.total_is_exact) == (len(expected), True), question.query
        assert (page.notices, page.corrected_query) == ((), None)


async def test_facet_counts_leave_a_facets_own_choice_aside(store: Services, load_rows: LoadRows) -> None:
    rows, questions = _chances(5, 80)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        page = await _verbatim(store, name, question)
        for facet in page.facets:
            counted = {value.value: value.count for value in facet.values}
            chosen = {value.value for value in facet.values if value.is_selected}

            assert counted == question.counts(rows, facet.field.name), (question.query, facet.field.name)
            assert chosen == set(question.query.filters.get(facet.field.name, ()))
            assert facet.is_exact


async def test_histograms_leave_a_fields_own_range_aside(store: Services, load_rows: LoadRows) -> None:
    rows, questions = _chances(6, 80)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        page = await _verbatim(store, name, question)
        for facet in page.ranges:
            found = question.found(rows, without=facet.field.name)
            expected = sum(bool(values_of(row, facet.field.name)) for row in found)

            assert sum(part.count for part in facet.histogram) == expected, (question.query, facet.field.name)


async def test_a_chosen_order_puts_missing_values_last_and_equal_ones_as_they_came(
    store: Services, load_rows: LoadRows
) -> None:
    rows, questions = _chances(7, 80)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        if sort := question.query.sort:
            field, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
            numbers = {
                str(row["id"]): sign * float(values_of(row, field)[0].replace("-", ""))
                for row in rows
                if values_of(row, field)
            }
            expected = [str(row["id"]) for row in question.found(rows)]
            expected.sort(key=lambda key, numbers=numbers: (key not in numbers, numbers.get(key, 0.0)))  # type: ignore[misc]  # mypy takes no defaults of lambdas
            page = await _verbatim(store, name, question)

            assert [hit.key for hit in page.hits] == expected, question.query
            assert not any(hit.score for hit in page.hits)


async def test_scored_documents_stand_in_the_order_of_their_scores(store: Services, load_rows: LoadRows) -> None:
    rows, questions = _chances(8, 60)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        page = await _verbatim(store, name, replace(question, query=replace(question.query, sort="")))
        scores = [hit.score for hit in page.hits]

        assert scores == sorted(scores, reverse=True), question.query


async def test_everything_that_is_found_verbatim_is_found_otherwise_too(store: Services, load_rows: LoadRows) -> None:
    rows, questions = _chances(9, 60)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        verbatim = await _verbatim(store, name, question)
        page = await store.search.search(name, replace(question.query, page_size=100))
        text_alone = await store.search.search(name, SearchQuery(question.query.text, is_verbatim=True))

        assert {hit.key for hit in verbatim.hits} <= {hit.key for hit in page.hits}, question.query
        if text_alone.total >= 5:
            # Enough: nothing is corrected, and nothing found that does not hold all the words.
            assert (page.corrected_query, page.notices) == (None, ()), question.query


def _told(hits: tuple[Hit, ...]) -> list[tuple[str, float]]:
    """Keys and scores, equal scores in the order of keys: stores may differ in that."""
    return sorted(((hit.key, round(hit.score, 9)) for hit in hits), key=lambda told: (-told[1], told[0]))


async def test_both_stores_answer_alike(both_stores: dict[str, Services], load_rows: LoadRows) -> None:
    if len(both_stores) == 1:
        pytest.skip("no PostgreSQL answers; set LIVESEARCH_TEST_POSTGRES_URL")
    rows, questions = _chances(10, 60)
    names = [await load_rows(store, rows, ROLES) for store in both_stores.values()]

    for question in questions:
        for is_verbatim in (False, True):
            query = replace(question.query, is_verbatim=is_verbatim, page_size=100)
            one, other = [
                await store.search.search(name, query) for store, name in zip(both_stores.values(), names, strict=True)
            ]

            assert (one.total, one.facets, one.ranges) == (other.total, other.facets, other.ranges), query
            assert (one.corrected_query, one.notices) == (other.corrected_query, other.notices), query
            if query.sort:
                assert [hit.key for hit in one.hits] == [hit.key for hit in other.hits], query
            assert _told(one.hits) == _told(other.hits), query


async def test_browsing_shows_the_popular_first(store: Services, load_rows: LoadRows) -> None:
    rows, _ = _chances(11, 60)
    name = await load_rows(store, rows, ROLES)

    page = await store.search.search(name, SearchQuery(page_size=100))

    popularity = {str(row["id"]): -int(values_of(row, "popularity")[0]) for row in rows}
    expected = sorted(popularity, key=popularity.__getitem__)
    assert [hit.key for hit in page.hits] == expected


def _row(**values: object) -> Row:
    return {**random_rows(Random(1), 1)[0], **values}  # noqa: S311  # a row, no secret


async def test_search_highlights_matches_and_never_markup(store: Services, load_rows: LoadRows) -> None:
    rows = [_row(id="k", title="Zelda <b>", about="about <i>zelda</i>"), _row(id="other")]
    name = await load_rows(store, rows, ROLES)

    page = await store.search.search(name, SearchQuery("zeld"))
    hit = next(hit for hit in page.hits if hit.key == "k")

    assert [(segment.text, segment.is_match) for segment in hit.title] == [("Zeld", True), ("a <b>", False)]
    assert [(s.text, s.is_match) for s in hit.snippets["about"]] == [
        ("about <i>", False),
        ("zeld", True),
        ("a</i>", False),
    ]


async def test_search_refuses_what_a_field_cannot_do(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, [_row()], ROLES)

    for query, message in (
        (SearchQuery(filters={"title": ("x",)}), f"“title” is not a facet of “{name}”. Those that are: maker, tags."),
        (SearchQuery(sort="-maker"), "“maker” is not a number or a date"),
        (SearchQuery(sort="-"), "“” is not a number or a date"),
        (SearchQuery(ranges={"nope": Range("1", None)}), "“nope” is not a number or a date"),
        (SearchQuery(ranges={"year": Range("soon", None)}), "“soon” is not a number"),
        (SearchQuery(ranges={"released": Range(None, "soon")}), "“soon” is not a date like 2009-12-31"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            await store.search.search(name, query)
    with pytest.raises(CollectionNotFoundError, match="There is no collection named “absent”"):
        await store.search.search("absent", SearchQuery())


async def test_odd_values_of_filters_find_nothing(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, [_row()], ROLES)

    for value in ("", "\x00", "\x1f", "Sega\x00", "x" * 10_000):
        page = await store.search.search(name, SearchQuery(filters={"maker": (value,)}))
        assert (page.total, page.facets[0].values[0].value) == (0, value)


async def test_a_change_is_seen_by_the_next_search(store: Services, load_rows: LoadRows, write_rows: WriteRows) -> None:
    rows = [_row(id=f"k{number}", maker="Sega" if number % 2 else "Atari") for number in range(20)]
    name = await load_rows(store, rows, ROLES)
    before = await store.search.search(name, SearchQuery(filters={"maker": ("Sega",)}))

    changed = [{**row, "maker": "Sega", "title": "unheardof"} for row in rows]
    await store.imports.run(write_rows("changed", changed), ImportOptions(name=name))
    after = await store.search.search(name, SearchQuery("unheard", filters={"maker": ("Sega",)}))

    assert (before.total, after.total) == (10, 20)
    assert after.version > before.version
    assert len(await checked_documents(store.transactions, name)) == 20


async def test_facet_values_gives_more_and_finds_by_a_part(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": f"k{number}", "title": f"t{number}", "maker": f"Maker {number % 40:02}"} for number in range(80)]
    name = await load_rows(store, rows, ROLES)

    page = await store.search.search(name, SearchQuery())
    every = await store.search.facet_values(name, SearchQuery(), "maker")
    some = await store.search.facet_values(name, SearchQuery(), "maker", contains="maker 1")

    assert (len(page.facets[0].values), page.facets[0].value_count) == (10, 40)
    assert len(every.values) == 40
    assert [value.value for value in some.values] == [f"Maker {number}" for number in range(10, 20)]


async def test_facet_values_equal_looking_at_every_row(store: Services, load_rows: LoadRows) -> None:
    rows, questions = _chances(12, 60)
    name = await load_rows(store, rows, ROLES)

    for question in questions:
        query = replace(question.query, is_verbatim=True)
        facet = await store.search.facet_values(name, query, "maker", contains="S")
        expected = Counter(question.counts(rows, "maker"))
        chosen = question.query.filters.get("maker", ())

        counted = {value.value: value.count for value in facet.values}
        assert counted == {v: n for v, n in expected.items() if v in chosen or "s" in v.lower()}, question.query


async def test_search_all_searches_every_collection(store: Services, load_rows: LoadRows) -> None:
    names = [await load_rows(store, [_row(id=f"k{n}", title=f"unseen {n}") for n in range(5)], ROLES) for _ in "ab"]

    pages = [page for page in await store.search.search_all("unseen", hits=2) if page.collection.name in names]

    assert [page.collection.name for page in pages] == sorted(names)
    assert all(len(page.hits) == 2 < page.total == 5 for page in pages)


async def _load_own(services: Services, write_rows: WriteRows) -> None:
    options = ImportOptions(key="id", roles=ROLES)
    await services.imports.run(write_rows("rows", random_rows(Random(1), 30)), options)  # noqa: S311  # no secrets


@pytest.mark.asyncio(loop_scope="function")
async def test_search_past_its_time_limit_is_stopped(services: Services, write_rows: WriteRows) -> None:
    await _load_own(services, write_rows)
    # Frozen for everybody else: a limit of its own for this one object.
    object.__setattr__(
        services.transactions.database,
        "settings",
        services.transactions.database.settings.model_copy(update={"query_timeout_ms": 0}),
    )

    with pytest.raises(QueryTimeoutError, match="was stopped"):
        await services.search.search("rows", SearchQuery("z"))


@pytest.mark.asyncio(loop_scope="function")
async def test_a_search_that_waits_too_long_for_its_turn_is_refused(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesearch.services.transactions._TURN_SECONDS", 0.05)
    await _load_own(services, write_rows)

    async with AsyncExitStack() as stack:
        for _ in range(READER_COUNT - 1):
            await stack.enter_async_context(services.transactions.read())
        with pytest.raises(OverloadedError, match="Too many searches at once"):
            await services.search.search("rows", SearchQuery())

    assert (await services.search.search("rows", SearchQuery())).total == 30


@pytest.mark.parametrize(
    ("query", "count"),
    [
        # The collection, the postings, the documents; columns and words are kept in memory.
        (SearchQuery("zelda re", filters={"maker": ("Sega",)}, sort="-year"), 3),
        (SearchQuery("zelda re", filters={"maker": ("Sega",)}), 3),
        (SearchQuery("zelda year:1985..1990 maker:sega"), 4),
    ],
)
async def test_a_search_takes_few_statements(
    store: Services, load_rows: LoadRows, monkeypatch: pytest.MonkeyPatch, query: SearchQuery, count: int
) -> None:
    rows, _ = _chances(13, 300)
    name = await load_rows(store, rows, ROLES)
    await store.search.search(name, query)
    counted = 0

    ways = (AsyncConnection, "execute"), (AsyncConnection, "exec_driver_sql"), (InterruptibleConnection, "fetch")
    for kind, method in ways:
        original = getattr(kind, method)

        async def counting(self: object, *args: object, original: object = original, **kwargs: object) -> object:
            nonlocal counted
            counted += 1
            return await original(self, *args, **kwargs)  # type: ignore[operator]  # a coroutine function

        monkeypatch.setattr(kind, method, counting)
    await store.search.search(name, query)

    assert counted == count


async def test_the_upper_end_of_a_date_range_is_the_end_of_what_was_written(
    store: Services, load_rows: LoadRows
) -> None:
    moments = ["2008-12-31T23:59:59Z", "2009-06-15T19:30:00Z", "2009-12-31", "2010-01-01", "9999-12-31"]
    rows = [{"id": str(n), "title": "t", "released": moment} for n, moment in enumerate(moments)]
    name = await load_rows(store, rows, ROLES)

    for minimum, maximum, expected in (
        ("2009-06-15", "2009-06-15", {"1"}),
        ("2009-06", "2009-06", {"1"}),
        ("2009", "2009", {"1", "2"}),
        (None, "2008", {"0"}),
        ("9999", "9999", {"4"}),
    ):
        page = await store.search.search(name, SearchQuery(ranges={"released": Range(minimum, maximum)}))
        assert {hit.key for hit in page.hits} == expected, (minimum, maximum)


async def test_dates_at_the_ends_of_time_do_not_stop_the_collection(store: Services, load_rows: LoadRows) -> None:
    moments = ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1969-12-31"]
    rows = [{"id": str(n), "title": "t", "released": moment} for n, moment in enumerate(moments)]
    name = await load_rows(store, rows, ROLES)

    page = await store.search.search(name, SearchQuery())

    assert page.total == 3
    assert page.ranges[0].minimum <= "1969-12-31" <= page.ranges[0].maximum


async def test_flags_are_facets_as_the_documents_have_them_and_no_words(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": str(n), "title": f"t{n}", "sold": n % 2 == 0} for n in range(10)]
    name = await load_rows(store, rows, {"title": Role.TITLE, "sold": Role.FACET})

    assert (await store.search.search(name, SearchQuery(filters={"sold": ("true",)}))).total == 5
    assert (await store.search.search(name, SearchQuery("sold:true"))).total == 5
    assert (await store.search.search(name, SearchQuery("false"))).total == 0


async def test_words_far_in_long_texts_are_found_without_reading_all_of_them(
    store: Services, load_rows: LoadRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": str(n), "title": f"title {n}", "about": "filler " * 15_000 + "needle"} for n in range(40)]
    name = await load_rows(store, rows, ROLES)
    read_count = 0

    def counting(text: str, *, with_last: bool = True) -> list[str]:
        nonlocal read_count
        read_count += len(text)
        return words(text, with_last=with_last)

    monkeypatch.setattr("livesearch.search.ranking.words", counting)
    page = await store.search.search(name, SearchQuery("needl"))

    assert page.total == 40
    assert all(any(s.is_match for s in hit.snippets["about"]) for hit in page.hits)
    # The first 4,000 characters of the texts, of as many as a megabyte holds: not the 4,200,000 there are.
    assert 0 < read_count < 100_000
