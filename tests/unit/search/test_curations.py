from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Curation
from livesearch.search.curations import CurationsOfQuery, arrange, group_curations


def test_curations_are_grouped_by_query_in_order_of_place() -> None:
    grouped = group_curations(
        [
            Curation(1, "zelda", "b", 3),
            Curation(2, "zelda", "a", 1),
            Curation(3, "zelda", "c", None),
            Curation(4, "mario", "d", None),
        ]
    )

    assert grouped == {
        "zelda": CurationsOfQuery(((1, "a"), (3, "b")), frozenset({"c"})),
        "mario": CurationsOfQuery((), frozenset({"d"})),
    }


def test_pinned_documents_stand_in_their_places() -> None:
    assert list(arrange("abcdef", [(1, "e"), (3, "x")])) == ["e", "a", "x", "b", "c", "d", "f"]


def test_a_document_pinned_below_its_rank_moves_down() -> None:
    assert list(arrange("abc", [(3, "a")])) == ["b", "c", "a"]


def test_hidden_documents_are_left_out_and_others_move_up() -> None:
    assert list(arrange("abcd", [(2, "d")], {"a", "c"})) == ["b", "d"]


def test_a_place_past_the_end_is_taken_after_the_last_document() -> None:
    assert list(arrange("a", [(5, "x"), (9, "y")])) == ["a", "x", "y"]


def test_ranked_documents_are_read_no_further_than_asked_for() -> None:
    ranked = iter(range(1000))

    assert list(islice(arrange(ranked, [(2, 500)]), 3)) == [0, 500, 1]
    assert next(ranked) == 2


@given(
    st.lists(st.integers(0, 30), unique=True),
    st.dictionaries(st.integers(1, 12), st.integers(0, 40), max_size=6),
    st.sets(st.integers(0, 30)),
)
def test_every_document_is_shown_once(ranked: list[int], places: dict[int, int], hidden: set[int]) -> None:
    pinned = [
        (place, document)
        for index, (place, document) in enumerate(sorted(places.items()))
        if document not in [other for _, other in sorted(places.items())[:index]]
    ]
    shown = list(arrange(ranked, pinned, hidden))

    documents = {document for _, document in pinned}
    assert len(shown) == len(set(shown))
    assert set(shown) == documents | (set(ranked) - hidden)
    assert [document for document in shown if document not in documents] == [
        document for document in ranked if document not in documents | hidden
    ]
    for place, document in pinned:
        assert shown.index(document) + 1 == place or not (set(shown[shown.index(document) + 1 :]) - documents)
