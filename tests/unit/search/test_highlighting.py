"""Where a query was found in a text."""

from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Segment
from livesearch.search.highlighting import SNIPPET_LENGTH, excerpt, highlight, snippet
from livesearch.search.query import Term, parse_query


def test_highlight_marks_whole_words_and_typed_beginnings() -> None:
    found = highlight("The Legend of Zelda", (Term("legend"), Term("zel", is_prefix=True)))

    assert found == (
        Segment("The "),
        Segment("Legend", is_match=True),
        Segment(" of "),
        Segment("Zel", is_match=True),
        Segment("da"),
    )


def test_highlight_folds_as_the_search_does() -> None:
    assert highlight("Pokémon!", (Term("poke", is_prefix=True),)) == (
        Segment("Poké", is_match=True),
        Segment("mon!"),
    )
    # Folding makes “ß” two letters: the typed part cannot be told, so the word is marked.
    assert highlight("Straße", (Term("stras", is_prefix=True),)) == (Segment("Straße", is_match=True),)


def test_highlight_keeps_markup_as_text() -> None:
    assert highlight("<b>x</b>", (Term("b"),)) == (
        Segment("<"),
        Segment("b", is_match=True),
        Segment(">x</"),
        Segment("b", is_match=True),
        Segment(">"),
    )


@given(st.text(), st.text())
def test_highlight_loses_nothing(text: str, query: str) -> None:
    assert "".join(segment.text for segment in highlight(text, parse_query(query).terms)) == text


def test_snippet_shows_the_first_match_between_ellipses() -> None:
    text = "start " * 100 + "needle " + "end " * 100

    found = snippet(text, (Term("needle"),))
    shown = "".join(segment.text for segment in found)

    assert Segment("needle", is_match=True) in found
    assert shown.startswith("… start")
    assert shown.endswith("end …")
    assert len(shown) <= SNIPPET_LENGTH + 4


@given(st.text(alphabet="ab \n", max_size=600), st.text(alphabet="ab", max_size=3))
def test_snippet_is_bounded_and_finds_what_is_there(text: str, query: str) -> None:
    terms = parse_query(query).terms

    found = snippet(text, terms)

    assert sum(len(segment.text) for segment in found) <= SNIPPET_LENGTH + 4
    if any(segment.is_match for segment in highlight(" ".join(text.split()), terms)):
        assert any(segment.is_match for segment in found)


def test_highlight_marks_letters_with_their_combining_accents() -> None:
    assert highlight("Poke\u0301mon", (Term("pokemon"),)) == (Segment("Poke\u0301mon", is_match=True),)


def test_excerpt_of_a_long_text_stands_around_a_match() -> None:
    text = "filler " * 30_000 + "Needle " + "filler " * 30_000

    found = excerpt(text, (Term("needle"),))

    assert len(found) == 4000
    assert "Needle" in found
    assert excerpt(text, (Term("absent"),)) == text[:4000]
    assert excerpt("short", (Term("absent"),)) == "short"
