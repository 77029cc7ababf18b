import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.search.changes import changed_words


@pytest.mark.parametrize(
    ("typed", "shown", "changed"),
    [
        ("bluetoot speaker", "bluetooth speaker", ["bluetooth"]),
        ("supre mraio world", "super mario world", ["super mario"]),
        ("super mraio wolrd cup", "super mario world cup", ["mario world"]),
        ("play station two", "playstation two", ["playstation"]),
        ("zeldalink awakening", "zelda link awakening", ["zelda link"]),
        ("a b a c", "a b a d", ["d"]),
        ("same words", "same words", []),
        ("", "all new", ["all new"]),
        ("gone", "", []),
    ],
)
def test_changed_words_are_told_apart(typed: str, shown: str, changed: list[str]) -> None:
    assert [segment.text for segment in changed_words(typed, shown) if segment.is_match] == changed


@given(st.text(), st.text())
def test_changed_words_lose_nothing(typed: str, shown: str) -> None:
    assert "".join(segment.text for segment in changed_words(typed, shown)) == shown


@given(st.text())
def test_changed_words_of_the_same_text_are_none(text: str) -> None:
    assert not any(segment.is_match for segment in changed_words(text, text))
