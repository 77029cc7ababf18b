"""Searching, on both stores, against a reference that looks at every row."""

import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from livesearch.db import READER_COUNT
from livesearch.domain import Range, ResultPage, Role, SearchQuery
from livesearch.errors import CollectionNotFoundError, InvalidInputError, QueryTimeoutError, StoreUnavailableError
from livesearch.search.analysis import words
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows

_ROLES = {
    "title": Role.TITLE,
    "about": Role.TEXT,
    "maker": Role.FACET,
    "tags": Role.FACET,
    "year": Role.SORT,
    "popularity": Role.SORT,
    "released": Role.DATE,
}
_WORDS = ["red", "reed", "green", "gris", "blue", "blüe", "black", "b", "zelda", "zeldas", "1991"]


def _rows(count: int, seed: int = 1) -> list[dict[str, object]]:
    chance = random.Random(seed)  # noqa: S311  # rows, not secrets
    return [
        {
            "id": f"k{number}",
            "title": " ".join(chance.choices(_WORDS, k=chance.randint(1, 3))),
            "about": " ".join(chance.choices(_WORDS, k=chance.randint(0, 5))),
            "maker": chance.choice(["Sega", "Nintendo", "Atari"]),
            "tags": chance.sample(["old", "new", "rare"], k=chance.randint(0, 2)),
            "popularity": chance.randint(0, 50),
            **({"year": chance.randint(1980, 1990)} if chance.random() < 0.9 else {}),
            "released": f"{chance.randint(1980, 1990)}-06-15",
        }
        for number in range(count)
    ]


def _holds(row: dict[str, object], query: SearchQuery, *, without: str = "") -> bool:
    """Whether a row is found, by looking at it; one field's own filter can be left aside."""
    held = words(f"{row['title']} {row['about']} {row['maker']} {' '.join(row['tags'])} {row.get('year', '')}")  # type: ignore[arg-type]
    held += words(f"{row['id']} {row['released']}")
    *whole, last = words(query.text) or [""]
    if not (all(word in held for word in whole) and any(word.startswith(last) for word in held)):
        return False
    for name, chosen in query.filters.items():
        value = row[name]
        values = value if isinstance(value, list) else [value]
        if name != without and not set(values) & set(chosen):
            return False
    for name, limits in query.ranges.items():
        number = row.get(name)
        if number is None or not (limits.minimum or "") <= str(number) <= (limits.maximum or "~"):
            return False
    return True


async def _load(services: Services, write_rows: WriteRows, rows: list[dict[str, object]], name: str = "rows") -> None:
    await services.imports.run(write_rows(name, rows), ImportOptions(key="id", roles=_ROLES))


async def _every_key(services: Services, query: SearchQuery) -> list[str]:
    """The keys of all pages, in order."""
    found: list[str] = []
    while True:
        page = await services.search.search("rows", query)
        found += [hit.key for hit in page.hits]
        if query.page >= page.page_count:
            return found
        query = replace(query, page=query.page + 1)


_QUERIES = [
    SearchQuery(),
    SearchQuery("z"),
    SearchQuery("zeld"),
    SearchQuery("zelda"),
    SearchQuery("RED bl"),
    SearchQuery("blue"),
    SearchQuery("gre red z"),
    SearchQuery("sega 198"),
    SearchQuery("nothing"),
    SearchQuery('"red OR (blue* NEAR -x:'),
    SearchQuery("b", filters={"maker": ("Sega", "Atari")}),
    SearchQuery("", filters={"maker": ("Sega",), "tags": ("old", "rare")}),
    SearchQuery("re", filters={"tags": ("absent",)}),
    SearchQuery("", ranges={"year": Range("1984", "1986")}),
    SearchQuery("g", filters={"maker": ("Sega",)}, ranges={"year": Range(None, "1985")}),
    SearchQuery("", ranges={"released": Range("1984-01-01", "1986-12-31")}),
]


async def test_search_equals_looking_at_every_row(services: Services, write_rows: WriteRows) -> None:
    rows = _rows(700)
    await _load(services, write_rows, rows)

    for query in _QUERIES:
        expected = {row["id"] for row in rows if _holds(row, query)}
        found = await _every_key(services, replace(query, page_size=37))
        page = await services.search.search("rows", query)

        assert set(found) == expected, query
        assert len(found) == len(expected) == page.total, query
        assert page.total_is_exact


async def test_facet_counts_leave_a_facets_own_choice_aside(services: Services, write_rows: WriteRows) -> None:
    rows = _rows(300)
    await _load(services, write_rows, rows)

    for query in _QUERIES:
        page = await services.search.search("rows", query)
        for facet in page.facets:
            name = facet.field.name
            expected: Counter[str] = Counter()
            for row in rows:
                value = row[name]
                if _holds(row, query, without=name):
                    expected.update(value if isinstance(value, list) else [str(value)])
            chosen = query.filters.get(name, ())

            counted = {value.value: value.count for value in facet.values}
            assert counted == {**dict.fromkeys(chosen, 0), **expected}, (query, name)
            assert {value.value for value in facet.values if value.is_selected} == set(chosen)


@pytest.mark.parametrize("sort", ["year", "-year", "released", "-popularity"])
async def test_sort_orders_all_pages_with_missing_values_last(
    services: Services, write_rows: WriteRows, sort: str
) -> None:
    rows = _rows(150)
    await _load(services, write_rows, rows)
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1

    def rank(position: int) -> tuple[bool, float, int]:
        value = rows[position].get(name)
        number = float(str(value).replace("-", "")) if value is not None else 0.0
        return value is None, sign * number, position

    found = await _every_key(services, SearchQuery(sort=sort, page_size=40))

    assert found == [rows[position]["id"] for position in sorted(range(150), key=rank)]


async def test_browsing_shows_the_popular_first(services: Services, write_rows: WriteRows) -> None:
    rows = _rows(60)
    await _load(services, write_rows, rows)

    found = await _every_key(services, SearchQuery(page_size=25))

    popularity = {row["id"]: row["popularity"] for row in rows}
    shown = [popularity[key] for key in found]
    assert shown == sorted(shown, key=lambda number: -int(str(number)))


async def test_pages_neither_repeat_nor_miss_a_row_past_the_scored_ones(
    services: Services, write_rows: WriteRows
) -> None:
    rows = _rows(1500)
    await _load(services, write_rows, rows)

    found = await _every_key(services, SearchQuery("b", page_size=100))

    assert len(found) == len(set(found)) == sum(_holds(row, SearchQuery("b")) for row in rows)


async def test_search_highlights_matches_and_never_markup(services: Services, write_rows: WriteRows) -> None:
    row = {**_rows(1)[0], "title": "Zelda <b>", "about": "about <i>zelda</i>"}
    await _load(services, write_rows, [row, *_rows(30)[1:]])

    page = await services.search.search("rows", SearchQuery("zeld"))
    hit = next(hit for hit in page.hits if hit.key == row["id"])

    assert [(segment.text, segment.is_match) for segment in hit.title] == [("Zeld", True), ("a <b>", False)]
    assert [(s.text, s.is_match) for s in hit.snippets["about"]] == [
        ("about <i>", False),
        ("zeld", True),
        ("a</i>", False),
    ]


async def test_search_refuses_what_a_field_cannot_do(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows, _rows(20))

    for query, message in (
        (SearchQuery(filters={"title": ("x",)}), "“title” is not a facet of “rows”. Those that are: maker, tags."),
        (SearchQuery(sort="-maker"), "“maker” is not a number or a date"),
        (SearchQuery(sort="-"), "“” is not a number or a date"),
        (SearchQuery(ranges={"nope": Range("1", None)}), "“nope” is not a number or a date"),
        (SearchQuery(ranges={"year": Range("soon", None)}), "“soon” is not a number"),
        (SearchQuery(ranges={"released": Range(None, "soon")}), "“soon” is not a date like 2009-12-31"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            await services.search.search("rows", query)
    with pytest.raises(CollectionNotFoundError, match="There is no collection named “absent”"):
        await services.search.search("absent", SearchQuery())


async def test_a_change_is_seen_by_the_next_search(services: Services, write_rows: WriteRows) -> None:
    rows = _rows(50)
    await _load(services, write_rows, rows)
    before = await services.search.search("rows", SearchQuery(filters={"maker": ("Sega",)}))

    changed = [{**row, "maker": "Sega", "title": "unheardof"} for row in rows]
    await services.imports.run(write_rows("changed", changed), ImportOptions(name="rows"))
    after = await services.search.search("rows", SearchQuery("unheard", filters={"maker": ("Sega",)}))

    assert before.total < 50
    assert after.total == 50
    assert after.version > before.version
    assert await services.integrity.check() == []


async def test_facet_values_gives_more_and_finds_by_a_part(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [
        {"id": f"k{number}", "title": f"t{number}", "maker": f"Maker {number % 40:02}"} for number in range(80)
    ]
    await services.imports.run(
        write_rows("rows", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "maker": Role.FACET})
    )

    page = await services.search.search("rows", SearchQuery())
    every = await services.search.facet_values("rows", SearchQuery(), "maker")
    some = await services.search.facet_values("rows", SearchQuery(), "maker", contains="maker 1")

    assert (len(page.facets[0].values), page.facets[0].value_count) == (10, 40)
    assert len(every.values) == 40
    assert [value.value for value in some.values] == [f"Maker {number}" for number in range(10, 20)]


async def test_search_all_searches_every_collection(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows, _rows(30), "one")
    await _load(services, write_rows, _rows(40, seed=2), "two")

    pages: tuple[ResultPage, ...] = await services.search.search_all("z", hits=2)

    assert [page.collection.name for page in pages] == ["one", "two"]
    assert all(len(page.hits) == 2 < page.total for page in pages)


async def test_search_past_its_time_limit_is_stopped(services: Services, write_rows: WriteRows) -> None:
    await _load(services, write_rows, _rows(30))
    # Frozen for everybody else: a limit of its own for this one object.
    object.__setattr__(
        services.transactions.database,
        "settings",
        services.transactions.database.settings.model_copy(update={"query_timeout_ms": 0}),
    )

    with pytest.raises(QueryTimeoutError, match="was stopped"):
        await services.search.search("rows", SearchQuery("z"))


async def test_a_search_takes_few_statements(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.ext.asyncio import AsyncConnection

    await _load(services, write_rows, _rows(300))
    query = SearchQuery("zelda re", filters={"maker": ("Sega",)}, sort="-year")
    await services.search.search("rows", query)
    counted = 0

    for name in ("execute", "exec_driver_sql"):
        original = getattr(AsyncConnection, name)

        async def counting(
            self: AsyncConnection, *args: object, original: object = original, **kwargs: object
        ) -> object:
            nonlocal counted
            counted += 1
            return await original(self, *args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(AsyncConnection, name, counting)
    await services.search.search("rows", query)

    # The collection, the postings, the documents; columns are kept in memory.
    assert counted == 3


async def test_the_upper_end_of_a_date_range_is_the_end_of_what_was_written(
    services: Services, write_rows: WriteRows
) -> None:
    rows: list[dict[str, object]] = [
        {"id": str(n), "title": "t", "seen": seen}
        for n, seen in enumerate(
            ["2008-12-31T23:59:59Z", "2009-06-15T19:30:00Z", "2009-12-31", "2010-01-01", "9999-12-31"]
        )
    ]
    await services.imports.run(
        write_rows("rows", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "seen": Role.DATE})
    )

    for minimum, maximum, expected in (
        ("2009-06-15", "2009-06-15", {"1"}),
        ("2009-06", "2009-06", {"1"}),
        ("2009", "2009", {"1", "2"}),
        (None, "2008", {"0"}),
        ("9999", "9999", {"4"}),
    ):
        page = await services.search.search("rows", SearchQuery(ranges={"seen": Range(minimum, maximum)}))
        assert {hit.key for hit in page.hits} == expected, (minimum, maximum)


async def test_dates_at_the_ends_of_time_do_not_stop_the_collection(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [
        {"id": str(n), "title": "t", "seen": seen}
        for n, seen in enumerate(["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1969-12-31"])
    ]
    await services.imports.run(
        write_rows("rows", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "seen": Role.DATE})
    )

    page = await services.search.search("rows", SearchQuery())

    assert page.total == 3
    assert page.ranges[0].minimum <= "1969-12-31" <= page.ranges[0].maximum


async def test_flags_are_facets_as_the_documents_have_them_and_no_words(
    services: Services, write_rows: WriteRows
) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"t{n}", "sold": n % 2 == 0} for n in range(10)]
    await services.imports.run(
        write_rows("rows", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "sold": Role.FACET})
    )

    assert (await services.search.search("rows", SearchQuery(filters={"sold": ("true",)}))).total == 5
    assert (await services.search.search("rows", SearchQuery("false"))).total == 0


async def test_words_far_in_long_texts_are_found_without_reading_all_of_them(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, object]] = [
        {"id": str(n), "title": f"title {n}", "about": "filler " * 15_000 + "needle"} for n in range(120)
    ]
    await services.imports.run(
        write_rows("rows", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "about": Role.TEXT})
    )
    read_count = 0

    def counting(text: str) -> list[str]:
        nonlocal read_count
        read_count += len(text)
        return words(text)

    monkeypatch.setattr("livesearch.search.ranking.words", counting)
    page = await services.search.search("rows", SearchQuery("needl"))

    assert page.total == 120
    assert all(any(s.is_match for s in hit.snippets["about"]) for hit in page.hits)
    # The first 4,000 characters of the texts, of as many as a megabyte holds: not the 12,600,000 there are.
    assert 0 < read_count < 100_000


async def test_a_search_that_waits_too_long_for_its_turn_is_refused(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesearch.services.transactions._TURN_SECONDS", 0.05)
    await _load(services, write_rows, _rows(5))

    async with AsyncExitStack() as stack:
        for _ in range(READER_COUNT - 1):
            await stack.enter_async_context(services.transactions.read())
        with pytest.raises(StoreUnavailableError, match="Too many searches at once"):
            await services.search.search("rows", SearchQuery())

    assert (await services.search.search("rows", SearchQuery())).total == 5
