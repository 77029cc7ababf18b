"""From text to terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.search.analysis import WORD_LENGTH, fold, title_terms, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Pokémon", "pokemon"),
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź Ørsted Æsir", "lodz orsted aesir"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
        ("ﬁnal", "final"),
        ("Ёлка", "елка"),
        ("Ἀθῆναι", "αθηναι"),
        ("İstanbul", "istanbul"),
    ],
)
def test_fold_folds_case_width_and_diacritics(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_fold_keeps_marks_that_make_other_letters() -> None:
    assert fold("ゼルダ") == "ゼルダ"
    assert fold("한글") == "한글"
    assert fold("हिन्दी") == "हिन्दी"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Legend of Zelda", ["the", "legend", "of", "zelda"]),
        ("snake_case, 006R90321/F-16", ["snake", "case", "006r90321", "f", "16"]),
        ("Sorcerer's Stone", ["sorcerer", "s", "stone"]),
        ("ゼルダの伝説 64", ["ゼルダの伝説", "64"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("ภาษาไทย", ["ภาษาไทย"]),
        ("naïve_case", ["naive", "case"]),
        (" \t\n…", []),
    ],
)
def test_words_splits_on_what_is_no_letter_or_digit(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_words_splits_what_is_too_long_and_loses_nothing() -> None:
    long = "x" * (2 * WORD_LENGTH + 5)

    assert words(long) == ["x" * WORD_LENGTH, "x" * WORD_LENGTH, "x" * 5]
    assert "".join(words(f"é{long}")) == f"e{long}"


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_words_of_ascii_are_those_of_the_general_way(text: str) -> None:
    # One letter outside ASCII makes the whole text take the general way.
    assert [*words(text), "e"] == words(f"{text} é")


@given(st.text())
def test_words_are_stable_when_folded_again(text: str) -> None:
    assert all(words(word) == [word] for word in words(text) if len(word) < WORD_LENGTH)


def test_title_terms_adds_joined_words() -> None:
    assert title_terms("F-16 Link's Wi-Fi") == ["f", "16", "link", "s", "wi", "fi", "f16", "links", "wifi"]
    assert title_terms("plain title") == ["plain", "title"]
