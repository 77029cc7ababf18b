"""The order of results."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.search.matching import Match
from livesearch.search.query import parse_query
from livesearch.search.ranking import Scorer, candidates, largest, remaining

_BOOKS = Collection(
    1,
    "books",
    1,
    2,
    (
        Field("title", FieldType.TEXT, Role.TITLE, 10),
        Field("author", FieldType.TEXT, Role.FACET, 3),
        Field("about", FieldType.TEXT, Role.TEXT, 1),
    ),
)


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=40),
    st.sets(st.integers(0, 39)),
    st.integers(1, 50),
)
def test_largest_equals_sorting_everything(held: list[int | None], chosen: set[int], limit: int) -> None:
    numbers = np.array([np.nan if number is None else float(number) for number in held])
    documents = BitMap(number for number in chosen if number < len(held))
    expected = sorted(documents, key=lambda number: (held[number] is None, -(held[number] or 0), number))

    assert largest(documents, numbers, limit) == expected[:limit]


def test_largest_without_numbers_keeps_document_order() -> None:
    assert largest(BitMap([5, 1, 3]), None, 2) == [1, 3]
    assert largest(BitMap(), np.array([1.0]), 2) == []


def test_remaining_goes_on_where_candidates_end() -> None:
    found = Match(BitMap(range(10)), (BitMap([8, 9]), BitMap(range(8))))
    popularity = np.arange(10.0)
    scored = candidates(found, popularity, limit=1)

    assert candidates(found, popularity, limit=3) == [9, 8, 7, 6, 5]
    assert scored == [9]
    assert remaining(found, popularity, scored, offset=0, limit=4) == [8, 7, 6, 5]
    assert remaining(found, popularity, scored, offset=2, limit=2) == [6, 5]
    assert remaining(found, popularity, scored, offset=99, limit=2) == []


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        # whole words over beginnings
        ("dune", {"title": "Dune"}, {"title": "Dunes"}),
        # titles over other fields, heavier fields over lighter ones
        ("herbert", {"title": "Herbert"}, {"author": "Frank Herbert"}),
        ("herbert", {"author": "Frank Herbert"}, {"about": "by Herbert"}),
        # a title that is the query over one that holds it, at its beginning over elsewhere
        ("dune", {"title": "Dune"}, {"title": "Dune Messiah"}),
        ("dune", {"title": "Dune Messiah"}, {"title": "Children Dune"}),
        # more of the unfinished word over less
        ("dun", {"title": "Dune"}, {"title": "Dungeons"}),
    ],
)
def test_score_prefers(query: str, better: dict[str, str], worse: dict[str, str]) -> None:
    scorer = Scorer(parse_query(query), _BOOKS)

    assert scorer.score(better, 0) > scorer.score(worse, 0)


def test_score_grows_with_popularity_but_slowly() -> None:
    scorer = Scorer(parse_query("dune"), _BOOKS)

    assert scorer.score({"title": "Dune"}, 10) > scorer.score({"title": "Dune"}, 1)
    assert scorer.score({"title": "Dune"}, 0) > scorer.score({"about": "dune"}, 1e6)
    assert scorer.score({"title": "Dune"}, float("nan")) == scorer.score({"title": "Dune"}, 0)
