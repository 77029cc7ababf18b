"""What a score is made of, in words and numbers that sum to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.search.query import Alternative, Kind, ParsedQuery, parse_query
from livesearch.search.ranking import Scorer, Statistics
from livesearch.search.readings import read

_BOOKS = Collection(
    1,
    "books",
    1,
    1000,
    (
        Field("title", FieldType.TEXT, Role.TITLE, 10),
        Field("author", FieldType.TEXT, Role.FACET, 3),
        Field("about", FieldType.TEXT, Role.TEXT, 1),
    ),
)


def _scorer(query: ParsedQuery) -> Scorer:
    return Scorer(query, _BOOKS, Statistics(1000, 20.0, (10,) * len(query.clauses)))


_TEXT = st.lists(st.sampled_from(["dune", "dunes", "sand", "of", "Spider-Man", "ゼルダ", "x1"]), max_size=6).map(
    " ".join
)


@given(_TEXT, _TEXT, _TEXT, _TEXT, st.floats(0, 50))
def test_parts_sum_to_the_score(text: str, title: str, author: str, about: str, static: float) -> None:
    scorer = _scorer(parse_query(text))
    document = {"title": title, "author": author, "about": about}
    parts = scorer.explain(document, static)

    assert sum(part.value for part in parts) == pytest.approx(
        scorer.score(read(document, scorer.layout), static), abs=1e-9
    )
    assert all(part.value > 0 for part in parts)
    assert len({part.label for part in parts}) == len(parts)


def test_parts_name_the_words_they_are_about() -> None:
    labels = [part.label for part in _scorer(parse_query("Dune herbert ")).explain({"title": "Dune Herbert"}, 1.5)]

    assert labels == [
        "“dune” in the texts, by how rare and how frequent it is",
        "“dune” as it was typed",
        "“dune” in the title",
        "“herbert” in the texts, by how rare and how frequent it is",
        "“herbert” as it was typed",
        "“herbert” in the title",
        "how much of the title was asked for",
        "the title begins with the search",
        "the title is the search",
        "words near each other",
        "popularity and recency",
    ]


def test_parts_that_are_nothing_are_left_out() -> None:
    parts = _scorer(parse_query("dune herbert ")).explain({"about": "dune"}, 0.0)

    assert [part.label for part in parts] == [
        "“dune” in the texts, by how rare and how frequent it is",
        "“dune” as it was typed",
    ]


def test_parts_name_the_word_that_stands_for_what_was_typed() -> None:
    clause = parse_query("zelad ").clauses[0].with_alternatives([Alternative(("zelda",), kind=Kind.CORRECTED)])
    parts = _scorer(ParsedQuery((clause,))).explain({"about": "zelda"}, 0.0)

    assert [part.label for part in parts] == ["“zelda” (for “zelad”) in the texts, by how rare and how frequent it is"]


def test_popularity_is_the_static_score() -> None:
    *_, last = _scorer(parse_query("dune ")).explain({"title": "Dune"}, 2.25)

    assert (last.label, last.value) == ("popularity and recency", 2.25)
