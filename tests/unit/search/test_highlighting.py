"""Where a query was found in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Segment
from livesearch.search.analysis import alternatives, place_after, query_terms, tokens
from livesearch.search.highlighting import SNIPPET_LENGTH, Matcher, excerpt, has_match, highlight, snippet
from livesearch.search.query import Term, parse_query
from tests.naughty import naughty_strings


def _marked(text: str, *terms: Term) -> str:
    """The text with brackets around what is highlighted."""
    return "".join(f"[{segment.text}]" if segment.is_match else segment.text for segment in highlight(text, terms))


def _terms(query: str) -> tuple[Term, ...]:
    """The terms of a query; single characters of scripts without spaces, and the last word, are unfinished."""
    found = query_terms(query)
    return tuple(
        Term(token.text, is_prefix=len(token.text) == 1 if token.is_run else token is found[-1]) for token in found
    )


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
    # Folding makes “ß” two letters: it is marked as soon as one of them is typed.
    assert _marked("Straße", Term("stras", is_prefix=True)) == "[Straß]e"


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("ゼルダの伝説", "ゼルダ", "[ゼルダ]の伝説"),
        ("ゼルダの伝説", "ゼ", "[ゼ]ルダの伝説"),
        ("ゼルダの伝説", "の伝説", "ゼルダ[の伝説]"),
        ("ゼルダの伝説", "説", "ゼルダの伝[説]"),
        ("ゼルダの伝説", "伝説 ゼルダ", "[ゼルダ]の[伝説]"),
        ("ｾﾞﾙﾀﾞの伝説", "ゼルダ", "[ｾﾞﾙﾀﾞ]の伝説"),
        ("スーパー・マリオ", "スーパーマリオ", "[スーパー・マリオ]"),
        ("Wii版", "wii 版", "[Wii版]"),
        ("ภาษาไทย", "ไทย", "ภาษา[ไทย]"),
        ("한국어판", "한국", "[한국]어판"),
    ],
)
def test_highlight_marks_runs_of_scripts_without_spaces(text: str, query: str, marked: str) -> None:
    assert _marked(text, *_terms(query)) == marked


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("An F-16", "f16", "An [F-16]"),
        ("An F-16", "f1", "An [F-1]6"),
        ("Link's", "links", "[Link's]"),
        ("S.W.A.R.M.", "swa", "[S.W.A].R.M."),
        ("PlayStation2", "stat", "Play[Stat]ion2"),
        ("PlayStation2", "playstation", "[PlayStation]2"),
        ("006R90321", "903", "006R[903]21"),
        ("snake_case", "case", "snake_[case]"),
    ],
)
def test_highlight_marks_joined_words_and_parts(text: str, query: str, marked: str) -> None:
    assert _marked(text, *_terms(query)) == marked


def test_highlight_marks_the_longest_that_fits() -> None:
    assert _marked("Zelda", Term("z", is_prefix=True), Term("zel", is_prefix=True)) == "[Zel]da"
    assert _marked("Zelda", Term("zel", is_prefix=True), Term("zelda")) == "[Zelda]"


def test_highlight_keeps_markup_as_text() -> None:
    assert highlight("<b>x</b>", (Term("b"),)) == (
        Segment("<"),
        Segment("b", is_match=True),
        Segment(">x</"),
        Segment("b", is_match=True),
        Segment(">"),
    )


_ODD = st.text(alphabet="ゼルｾﾞﾙの・、ไทย가\u1100\u1161\u3099\u0301ßﬁ½İΣ\xad ab1A-.'_")


@given(st.text() | _ODD, st.text() | _ODD)
def test_highlight_loses_nothing(text: str, query: str) -> None:
    assert "".join(segment.text for segment in highlight(text, parse_query(query).terms)) == text


def test_longer_beginning_beside_a_whole_word_marks_no_more_than_the_word() -> None:
    marked = highlight("a b", [Term("a", is_prefix=True), Term("ab", is_prefix=True)])

    assert [(segment.text, segment.is_match) for segment in marked] == [("a", True), (" b", False)]


@given(_ODD | st.text(alphabet="abAB1- "), st.lists(st.builds(Term, _ODD.map(str.casefold), st.booleans())))
def test_highlight_marks_what_fits_and_nothing_else(text: str, terms: list[Term]) -> None:
    expected = [False] * len(text)
    for token in (*tokens(text), *alternatives(text)):
        typed = max((len(term.text) for term in terms if term.fits(token.text)), default=0)
        if typed:
            end = token.start + place_after(text[token.start : token.end], typed)
            if typed == len(token.text):
                end = token.end
            expected[token.start : end] = [True] * (end - token.start)

    marked = [segment.is_match for segment in highlight(text, terms) for _ in segment.text]

    assert marked == expected


def test_matcher_gives_the_same_when_it_is_used_again() -> None:
    terms = (Term("zel", is_prefix=True), Term("ゼル"))
    matcher = Matcher(terms)

    for text in ("Zelda ZELDA zelda, zel-da", "ゼルダ ゼルダ Zelda", "Zelda ZELDA zelda, zel-da"):
        assert highlight(text, matcher) == highlight(text, terms)


def test_matcher_looks_at_each_word_once() -> None:
    class Counted(str):
        """Text that counts how often it is compared."""

        compared = 0
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    matcher = Matcher([Term(Counted(f"word{number}"), is_prefix=number % 2 == 0) for number in range(96)])
    Counted.compared = 0

    highlight("word95 filler " * 300, matcher)

    # One look-up finds it, 299 remember it: never one comparison for each term and word.
    assert Counted.compared < 10


def test_highlighting_takes_any_text() -> None:
    strings = naughty_strings()
    for text, query in zip(strings, [*strings[1:], strings[0]], strict=True):
        for terms in (_terms(text), _terms(query), parse_query(query).terms):
            assert "".join(segment.text for segment in highlight(text, terms)) == text
            assert has_match(text, terms) == any(segment.is_match for segment in highlight(text, terms))
            assert sum(len(segment.text) for segment in snippet(text, terms)) <= SNIPPET_LENGTH + 4


def test_snippet_shows_the_first_match_between_ellipses() -> None:
    text = "start " * 100 + "needle " + "end " * 100

    found = snippet(text, (Term("needle"),))
    shown = "".join(segment.text for segment in found)

    assert Segment("needle", is_match=True) in found
    assert shown.startswith("… start")
    assert shown.endswith("end …")
    assert len(shown) <= SNIPPET_LENGTH + 4


def test_snippet_shows_where_most_terms_stand() -> None:
    text = "needle " + "start " * 100 + "needle in the haystack " + "end " * 100

    shown = "".join(segment.text for segment in snippet(text, (Term("haystack"), Term("needle"))))

    assert "needle in the haystack" in shown


def test_snippet_cuts_a_text_without_spaces() -> None:
    text = "ア" * 300 + "ゼルダ" + "イ" * 300

    found = snippet(text, _terms("ゼルダ"))

    assert Segment("ゼルダ", is_match=True) in found
    assert sum(len(segment.text) for segment in found) == SNIPPET_LENGTH + 4


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


def test_excerpt_of_a_long_text_stands_where_most_terms_are() -> None:
    text = "needle " + "filler " * 30_000 + "haystack with a needle " + "filler " * 30_000

    assert "haystack with a needle" in excerpt(text, (Term("needle"), Term("haystack")))


def test_excerpt_is_not_shifted_by_letters_that_lowering_lengthens() -> None:
    text = "İ" * 5000 + " Needle " + "filler " * 5000

    assert "Needle" in excerpt(text, (Term("needle"),))


def test_excerpt_of_a_long_text_without_spaces_stands_around_a_match() -> None:
    text = "ア" * 10_000 + "ゼルダ" + "イ" * 10_000

    assert "ゼルダ" in excerpt(text, _terms("ゼルダ"))
