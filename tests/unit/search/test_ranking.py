"""The order of results."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import Collection, Document, Field, FieldType, Role
from livesearch.search.candidates import CANDIDATE_COUNT, candidate_count, candidates
from livesearch.search.matching import Match
from livesearch.search.ordering import DOCUMENT_ORDER, ColumnOrder
from livesearch.search.query import Alternative, Kind, ParsedQuery, parse_query
from livesearch.search.ranking import Scorer, Statistics
from livesearch.search.readings import read
from tests.columns import number_column

_BOOKS = Collection(
    1,
    "books",
    1,
    1000,
    (
        Field("title", FieldType.TEXT, Role.TITLE, 10),
        Field("subtitle", FieldType.TEXT, Role.TITLE, 5),
        Field("author", FieldType.TEXT, Role.FACET, 3),
        Field("about", FieldType.TEXT, Role.TEXT, 1),
        Field("year", FieldType.NUMBER, Role.SORT, 1),
        Field("secret", FieldType.TEXT, Role.HIDDEN, 9),
    ),
)


def _scorer(query: ParsedQuery, frequencies: Sequence[int] = ()) -> Scorer:
    """Scores documents of a thousand; each clause is satisfied by ten of them, unless told otherwise."""
    held = tuple(frequencies) or (10,) * len(query.clauses)
    return Scorer(query, _BOOKS, Statistics(1000, 20.0, held))


def _score(text: str, document: Document, *, static: float = 0.0, frequencies: Sequence[int] = ()) -> float:
    scorer = _scorer(parse_query(text), frequencies)
    return scorer.score(read(document, scorer.layout), static)


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        # Whole words over beginnings, and more of an unfinished word over less.
        ("dune", {"title": "Dune"}, {"title": "Dunes"}),
        ("dun", {"title": "Dune"}, {"title": "Dungeons"}),
        ("dun", {"about": "a dune"}, {"about": "a dungeon"}),
        # Titles over other fields, heavier fields over lighter ones.
        ("herbert ", {"title": "Herbert"}, {"author": "Herbert"}),
        ("herbert ", {"title": "Of Herbert and others"}, {"author": "Herbert"}),
        ("herbert ", {"title": "Herbert"}, {"subtitle": "Herbert"}),
        ("herbert ", {"author": "Herbert"}, {"about": "Herbert"}),
        # A title that is the query over one that holds it; at its beginning over elsewhere; a short one over a long.
        ("dune ", {"title": "Dune"}, {"title": "Dune Messiah"}),
        ("dune ", {"title": "Dune Messiah"}, {"title": "Children Dune"}),
        ("dune ", {"title": "Dune Messiah"}, {"title": "Dune Messiah of the sands"}),
        ("dune mess", {"title": "Dune Messiah"}, {"title": "Dune Messiah again"}),
        # Words side by side, in their order, over scattered ones.
        ("frank herbert ", {"title": "of frank herbert now"}, {"title": "of frank now herbert"}),
        ("frank herbert ", {"title": "of frank herbert now"}, {"title": "of herbert frank now"}),
        ("frank herbert ", {"about": "of frank herbert now"}, {"about": "of frank now herbert"}),
        # Near each other over far apart.
        ("frank herbert ", {"about": "frank a herbert of b c d"}, {"about": "frank a of b c d herbert"}),
        ("frank herbert ", {"about": "herbert frank of a b c d"}, {"about": "herbert of a b c d frank"}),
        # In one run over a pair here and a pair there.
        (
            "frank herbert dune ",
            {"about": "frank herbert dune a b c d e f g h i herbert"},
            {"about": "frank herbert a b c d e f g h i herbert dune"},
        ),
        # Of several words, one in a text over one in what a row is filed under.
        ("dune sand ", {"title": "Dune", "about": "sand"}, {"title": "Dune", "author": "sand"}),
        # All words over some, more often over once, short texts over long ones.
        ("frank herbert ", {"about": "frank and herbert"}, {"about": "frank and frank"}),
        ("dune ", {"about": "dune and dune"}, {"about": "dune and sand"}),
        ("dune ", {"about": "dune"}, {"about": "dune " + "sand " * 50}),
        # As it was typed over any other word, wherever both stand.
        ('"frank herbert" ', {"about": "frank herbert"}, {"about": "nobody"}),
        ("dune OR sand ", {"title": "Sand"}, {"title": "Land"}),
        # Fields that are not searched say nothing.
        ("dune ", {"about": "dune"}, {"secret": "dune"}),
        ("1965 ", {"year": 1965}, {"year": 1966}),
        # Words that are parts of a title's words, or joined there.
        ("python 3", {"title": "python3"}, {"title": "pythons"}),
        ("spiderman ", {"title": "Spider-Man"}, {"title": "Spider Monkey"}),
    ],
)
def test_score_prefers(query: str, better: Document, worse: Document) -> None:
    assert _score(query, better) > _score(query, worse)


def test_score_counts_rare_words_most() -> None:
    query = "frank herbert "

    assert _score(query, {"about": "herbert"}, frequencies=(500, 5)) > _score(
        query, {"about": "frank"}, frequencies=(500, 5)
    )


def test_score_of_a_lone_letter_still_tells_titles_apart() -> None:
    everywhere = (1000,)

    assert _score("d", {"title": "Dune"}, frequencies=everywhere) > _score(
        "d", {"about": "Dune"}, frequencies=everywhere
    )


@pytest.mark.parametrize("kind", [Kind.FORM, Kind.SYNONYM, Kind.CORRECTED])
def test_score_of_what_was_typed_is_higher_than_of_what_stands_for_it(kind: Kind) -> None:
    clause = parse_query("speaker ").clauses[0].with_alternatives([Alternative(("speakers",), kind=kind)])
    scorer = _scorer(ParsedQuery((clause,)))

    for field in ("title", "author", "about"):
        typed, other = ({field: text} for text in ("a speaker here", "a speakers here"))
        assert (
            scorer.score(read(typed, scorer.layout), 0)
            > scorer.score(read(other, scorer.layout), 0)
            > scorer.score(read({field: "a loud one here"}, scorer.layout), 0)
        )


def test_score_of_a_synonym_is_lower_than_of_another_form_of_the_word() -> None:
    clause = (
        parse_query("speaker ")
        .clauses[0]
        .with_alternatives(
            [Alternative(("speakers",), kind=Kind.FORM), Alternative(("loudspeaker",), kind=Kind.SYNONYM)]
        )
    )
    scorer = _scorer(ParsedQuery((clause,)))

    for field in ("title", "author", "about"):
        assert scorer.score(read({field: "the speakers"}, scorer.layout), 0) > scorer.score(
            read({field: "the loudspeaker"}, scorer.layout), 0
        )


def test_score_of_several_words_for_one_needs_all_of_them() -> None:
    clause = parse_query("ps5 ").clauses[0].with_alternatives([Alternative(("playstation", "5"), kind=Kind.SYNONYM)])
    scorer = _scorer(ParsedQuery((clause,)))

    assert scorer.score(read({"about": "a playstation, 5 of them"}, scorer.layout), 0) > 0
    assert scorer.score(read({"about": "a playstation"}, scorer.layout), 0) == 0


def test_score_decides_by_popularity_between_equals_alone() -> None:
    assert _score("dune ", {"title": "Dune"}, static=2) == pytest.approx(_score("dune ", {"title": "Dune"}) + 2)
    # A hundred million readers of a book that mentions it.
    assert _score("dune ", {"title": "Dune"}) > _score("dune ", {"about": "dune"}, static=8)


def test_score_of_a_collection_without_titles_takes_keys_for_them() -> None:
    fields = (Field("id", FieldType.TEXT, Role.KEY, 10), Field("about", FieldType.TEXT, Role.TEXT, 1))
    collection = replace(_BOOKS, fields=fields)
    scorer = Scorer(parse_query("dune "), collection, Statistics(1000, 20.0, (10,)))

    assert scorer.score(read({"id": "dune"}, scorer.layout), 0) > scorer.score(
        read({"about": "dune"}, scorer.layout), 0
    )


def test_score_takes_any_values() -> None:
    odd: list[Document] = [
        {},
        {"title": None, "about": []},
        {"title": ["Dune", "Sand"], "about": {"text": "dune"}},
        {"title": 7, "about": True, "year": "soon"},
        {"title": "", "about": "\x1f"},
    ]

    assert all(_score("dune sand ", document) >= 0 for document in odd)
    assert _score("dune ", odd[2]) > _score("dune ", odd[1]) == 0


def test_rarity_falls_as_more_documents_hold_a_word() -> None:
    statistics = Statistics(1000, 20.0, (0, 1, 10, 500, 1000, 5000))
    rarities = [statistics.rarity(at) for at in range(6)]

    assert rarities == sorted(rarities, reverse=True)
    assert rarities[-1] == rarities[-2] > 0
    assert Statistics(0, 0.0, (0,)).rarity(0) > 0


_TIERS = Match(BitMap(range(10)), (BitMap([8, 9]), BitMap(range(8))))


def test_candidates_are_the_first_of_each_tier_until_there_are_enough() -> None:
    popular = ColumnOrder(number_column([float(number) for number in range(10)]), is_descending=True)

    assert candidates(_TIERS, popular, limit=1) == [9]
    assert candidates(_TIERS, popular, limit=2) == [9, 8]
    assert candidates(_TIERS, popular, limit=3) == [9, 8, 7, 6, 5]
    assert candidates(_TIERS, popular) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert candidates(_TIERS, DOCUMENT_ORDER, limit=3) == [8, 9, 0, 1, 2]


def test_candidates_of_a_large_tier_hold_the_words_as_typed() -> None:
    everything = BitMap(range(100))
    found = candidates(Match(everything, (everything,), BitMap([50, 60, 170])), DOCUMENT_ORDER, limit=4)

    assert found == [50, 60, 0, 1]


@given(
    st.lists(st.sets(st.integers(0, 60)), min_size=1, max_size=5),
    st.none() | st.sets(st.integers(0, 60)).map(BitMap),
    st.integers(1, 20),
)
def test_candidates_are_matches_each_once(tiers: list[set[int]], literal: BitMap | None, limit: int) -> None:
    disjoint = [BitMap(tier - set().union(*tiers[:at])) for at, tier in enumerate(tiers)]
    found = candidates(Match(BitMap.union(*disjoint), tuple(disjoint), literal), DOCUMENT_ORDER, limit=limit)
    everything = BitMap.union(*disjoint)

    assert len(set(found)) == len(found)
    assert set(found) <= set(everything)
    assert min(limit, len(everything)) <= len(found) <= 2 * limit - 1


def test_candidates_are_few_whatever_is_found() -> None:
    everything = BitMap(range(100_000))

    assert len(candidates(Match(everything, (everything,)), DOCUMENT_ORDER)) == CANDIDATE_COUNT


def test_words_of_one_text_stand_near_those_of_the_next() -> None:
    fields = tuple(Field(name, FieldType.TEXT, Role.TEXT, 1) for name in ("summary", "about"))
    scorer = Scorer(parse_query("frank herbert "), replace(_BOOKS, fields=fields), Statistics(1000, 20.0, (10, 10)))

    def score(summary: str, about: str) -> float:
        return scorer.score(read({"summary": summary, "about": about}, scorer.layout), 0)

    near, far = score("of a b c frank", "herbert"), score("frank of a b c", "herbert")

    assert near > far


@pytest.mark.parametrize(
    ("text", "is_relaxed", "count"),
    [
        ("z", False, 60),
        ("ze", False, 60),
        ("zel", False, 150),
        ("zelda l", False, 150),
        ("zelda l", True, 100),
        ("zelda ", False, 300),
        ("zelda ", True, 300),
        ("", False, 300),
    ],
)
def test_fewer_are_looked_at_where_little_is_typed(text: str, is_relaxed: bool, count: int) -> None:
    assert candidate_count(parse_query(text), is_relaxed=is_relaxed) == count
