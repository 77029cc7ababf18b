"""From what was typed to what is looked for."""

from hypothesis import given
from hypothesis import strategies as st

from livesearch.search.query import QUERY_LENGTH, TERM_COUNT, Term, parse_query


def test_parse_query_takes_the_last_word_as_unfinished() -> None:
    assert parse_query("The Hunger Gam").terms == (Term("the"), Term("hunger"), Term("gam", is_prefix=True))


def test_parse_query_asks_for_a_repeated_word_once() -> None:
    assert parse_query("new york new").terms == (Term("new"), Term("york"))
    assert parse_query("dur dur").terms == (Term("dur", is_prefix=True),)


def test_parse_query_of_no_word_asks_for_nothing() -> None:
    assert parse_query('  "*:()- ').terms == ()


def test_parse_query_says_what_it_leaves_out() -> None:
    many = " ".join(f"w{number}" for number in range(TERM_COUNT + 1))
    long = "a" * (QUERY_LENGTH + 1)

    assert len(parse_query(many).terms) == TERM_COUNT
    assert not any(term.is_prefix for term in parse_query(many).terms)  # the unfinished word was left out
    assert parse_query(many).notices == ("Only the first 12 words of the search were used.",)
    assert parse_query(long).notices == ("Only the first 256 characters of the search were used.",)
    assert parse_query("short").notices == ()


@given(st.text())
def test_parse_query_takes_any_text(text: str) -> None:
    parsed = parse_query(text)

    assert len({term.text for term in parsed.terms}) == len(parsed.terms) <= TERM_COUNT
    assert not any(term.is_prefix for term in parsed.terms[:-1])


def test_term_fits_whole_words_or_beginnings() -> None:
    assert Term("gam", is_prefix=True).fits("games")
    assert not Term("gam").fits("games")
    assert Term("gam").fits("gam")
