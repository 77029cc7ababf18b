from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from livesearch.domain import Range, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.web.parameters import (
    canonical_parameters,
    parse_expansions,
    parse_query,
    parse_sized_query,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


def test_parse_query_reads_everything() -> None:
    parameters = MultiDict(
        [
            ("q", "zelda"),
            ("f.platform", "NES"),
            ("f.platform", "SNES"),
            ("min.year", "1985"),
            ("max.year", "1990"),
            ("sort", "-year"),
            ("page", "2"),
        ]
    )

    assert parse_query(parameters) == SearchQuery(
        text="zelda",
        filters={"platform": ("NES", "SNES")},
        ranges={"year": Range("1985", "1990")},
        sort="-year",
        page=2,
    )


def test_parse_query_takes_empty_values_as_absent() -> None:
    parameters = MultiDict([("q", ""), ("f.a", ""), ("min.b", " "), ("max.b", ""), ("sort", ""), ("page", "")])

    assert parse_query(parameters) == SearchQuery()


def test_parse_query_takes_a_value_once() -> None:
    parameters = MultiDict([("f.a", "x"), ("f.a", "x")])

    assert parse_query(parameters).filters == {"a": ("x",)}


def test_parse_query_ignores_bare_prefixes() -> None:
    parameters = MultiDict([("f.", "x"), ("min.", "1"), ("max.", "2"), ("unknown", "3")])

    assert parse_query(parameters) == SearchQuery()


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "abc", "1e3", "100001", "9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}", "+1", "1_0"]
)
def test_parse_query_refuses_bad_pages(value: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a whole number from 1 to 100,000"):
        parse_query(MultiDict([("page", value)]))


@pytest.mark.parametrize(
    ("value", "is_verbatim"), [("1", True), ("", False), ("0", False), ("true", False), ("11", False)]
)
def test_parse_query_reads_exact(value: str, is_verbatim: bool) -> None:
    assert parse_query(MultiDict([("q", "a"), ("exact", value)])).is_verbatim is is_verbatim


def test_parse_query_leaves_explanations_to_programs() -> None:
    parameters = MultiDict([("explain", "1")])

    assert not parse_query(parameters).is_explained
    assert parse_sized_query(parameters).is_explained


def test_parse_query_leaves_page_size_to_programs() -> None:
    parameters = MultiDict([("page_size", "5")])

    assert parse_query(parameters).page_size == 20
    assert parse_sized_query(parameters).page_size == 5


@pytest.mark.parametrize(
    "parameters",
    [
        [(f"f.{number % 3}", str(number)) for number in range(51)],
        [(f"{end}.{number}", "1") for number in range(51) for end in ("min", "max")],
        [("f.a", str(number)) for number in range(50)] + [("min.b", "1")],
    ],
)
def test_parse_query_refuses_more_filters_than_a_page_can_show(parameters: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInputError, match=r"51 filters, .* at most 50\. Remove some"):
        parse_query(MultiDict(parameters))


def test_parse_query_takes_as_many_filters_as_a_page_can_show() -> None:
    parameters = MultiDict([("f.a", str(number)) for number in range(50)])

    assert len(parse_query(parameters).filters["a"]) == 50


@pytest.mark.parametrize("name", ["f.a", "min.a", "max.a"])
def test_parse_query_refuses_filters_too_long_for_every_link(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"5,001 characters of filters, .* at most 5,000\. Remove some"):
        parse_query(MultiDict([(name, "1" * 5001)]))


@pytest.mark.parametrize(
    ("parameters", "expansions"),
    [
        ([], {}),
        ([("facet", "maker")], {"maker": ""}),
        ([("facet", "maker"), ("fq", "nin"), ("facet", "place"), ("fq", "")], {"maker": "nin", "place": ""}),
        ([("facet", ""), ("fq", "nin")], {}),
    ],
)
def test_parse_expansions_reads_fields_and_texts(parameters: list[tuple[str, str]], expansions: dict[str, str]) -> None:
    assert parse_expansions(MultiDict(parameters)) == expansions


def test_parse_expansions_bounds_the_searches_of_a_page() -> None:
    parameters = MultiDict([("facet", str(number)) for number in range(1000)])

    assert len(parse_expansions(parameters)) == 10


def test_canonical_parameters_hold_the_text_that_is_searched() -> None:
    assert canonical_parameters(SearchQuery(text="a" * 60_000)) == "?q=" + "a" * 512


def test_canonical_parameters_leave_out_what_says_nothing() -> None:
    assert canonical_parameters(SearchQuery(text="  ")) == ""


def test_canonical_parameters_keep_exact_where_there_are_words() -> None:
    assert canonical_parameters(SearchQuery(text="a", is_verbatim=True, page=2)) == "?q=a&exact=1&page=2"
    assert canonical_parameters(SearchQuery(is_verbatim=True)) == ""


def test_canonical_parameters_are_ascii() -> None:
    query = SearchQuery(text="東京 & co", filters={"a b": ("x=y",)}, page=3)

    assert canonical_parameters(query) == "?q=%E6%9D%B1%E4%BA%AC+%26+co&f.a+b=x%3Dy&page=3"


@given(
    text=st.one_of(st.just(""), TEXTS.map(str.strip)),
    filters=st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple), max_size=3),
    minimum=st.none() | st.integers().map(str),
    page=st.integers(1, 100_000),
    is_verbatim=st.booleans(),
)
def test_canonical_parameters_read_back(
    text: str, filters: dict[str, tuple[str, ...]], minimum: str | None, page: int, is_verbatim: bool
) -> None:
    ranges = {"year": Range(minimum=minimum)} if minimum is not None else {}
    query = SearchQuery(text=text, filters=filters, ranges=ranges, page=page, is_verbatim=is_verbatim and bool(text))

    written = canonical_parameters(query).removeprefix("?")

    assert parse_query(MultiDict(parse_qsl(written, keep_blank_values=True))) == query


def test_sized_query_reads_a_cursor() -> None:
    assert parse_sized_query(MultiDict([("cursor", "abc")])).cursor == "abc"
    assert parse_sized_query(MultiDict([("cursor", " ")])).cursor is None
    # A page of the site has a number.
    assert parse_query(MultiDict([("cursor", "abc")])).cursor is None
