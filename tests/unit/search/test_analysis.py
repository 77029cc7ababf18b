"""From text to terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.search.analysis import (
    WORD_LENGTH,
    QueryToken,
    alternatives,
    fold,
    place_after,
    query_terms,
    spaced,
    spaced_title,
    split_spaced,
    title_terms,
    tokens,
    words,
    written,
)
from tests.naughty import naughty_strings

# Letters that are cut, joined, folded or put together, and what stands between them.
_ODD = st.text(alphabet="ゼルｾﾞﾙのー々ไทย가\u1100\u1161\u3099\u0301ßﬁ½㍿İΣ™\xad\u200d\ufe0f abAB1_-.'’・、")


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
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("한국어판 게임", ["한국어판", "게임"]),
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ゼルダ", ["ゼル", "ルダ", "ダ"]),
        ("版", ["版"]),
        ("スーパー・人々", ["スー", "ーパ", "パー", "ー", "人々", "々"]),
        ("ｾﾞﾙﾀﾞ", ["ゼル", "ルダ", "ダ"]),
        ("Wii版 2本", ["wii", "版", "2", "本"]),
        ("ไทย", ["ไท", "ทย", "ย"]),
        ("ພາສາ", ["ພາ", "າສ", "ສາ", "າ"]),
        ("ខ្មែរ", ["ខ្", "្ម", "មែ", "ែរ", "រ"]),
        ("မြန်", ["မြ", "ြန", "န်", "်"]),
    ],
)
def test_words_of_a_script_without_spaces_are_its_pairs_and_its_last_character(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_words_cuts_no_pair_where_a_run_is_long() -> None:
    run = "のは" * WORD_LENGTH

    assert words(run) == ["のは", "はの"] * (WORD_LENGTH - 1) + ["のは", "は"]


def test_words_leaves_out_what_is_not_seen() -> None:
    assert words("Zelda™ co\xadoperate 葛\U000e0100城") == ["zelda", "cooperate", "葛城", "城"]


@given(st.text() | _ODD)
def test_words_that_are_no_pairs_are_stable_when_folded_again(text: str) -> None:
    found = [token.text for token in tokens(text) if not token.is_run]

    assert all(words(word) == [word] for word in found if len(word) < WORD_LENGTH)


@given(st.text() | _ODD)
def test_tokens_are_the_words_with_their_places(text: str) -> None:
    found = list(tokens(text))

    assert [token.text for token in found] == words(text)
    assert [token.text for token in query_terms(text)] == words(text, with_last=False)
    assert all(0 <= token.start < token.end <= len(text) for token in found)


def test_query_terms_gives_pairs_that_overlap_and_lone_characters() -> None:
    assert query_terms("Zelda ゼルダ 版") == [
        QueryToken("zelda", 0, 5),
        QueryToken("ゼル", 6, 8, is_run=True),
        QueryToken("ルダ", 7, 9, is_run=True),
        QueryToken("版", 10, 11, is_run=True),
    ]


def test_query_terms_places_are_those_of_the_text_as_given() -> None:
    assert query_terms("ｾﾞﾙﾀﾞ Poke\u0301mon") == [
        QueryToken("ゼル", 0, 3, is_run=True),
        QueryToken("ルダ", 2, 5, is_run=True),
        QueryToken("pokemon", 6, 14),
    ]


@given(st.text(alphabet="ゼルダの伝説ー々ไทยab1 ・", min_size=1), st.data())
def test_query_terms_of_a_part_are_found_in_the_whole(document: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(document) - 1))
    part = document[start : data.draw(st.integers(start + 1, len(document)))]
    held = set(words(document))

    for token in query_terms(part):
        # A part may begin inside a word of a script with spaces: only its other words are words of the document.
        is_inside = not token.is_run and (token.start == 0 or token.end == len(part))
        assert is_inside or token.text in held or (len(token.text) == 1 and any(w[0] == token.text for w in held))


@pytest.mark.parametrize(
    ("title", "further"),
    [
        ("plain title", []),
        ("F-16 Link's Wi‑Fi", ["f16", "links", "wifi"]),
        ("E.T. S.W.A.R.M", ["et", "swarm"]),
        ("PlayStation", ["play", "station"]),
        ("XMLHttpRequest", ["xml", "http", "request"]),
        ("006R90321", ["006", "90321"]),
        ("python3 7zip PS2", ["python", "3", "7", "zip", "ps", "2"]),
        ("x86 3D A4", ["86"]),
        ("PlayStation2", ["playstation", "2", "play", "station"]),
        ("ÉcoleNormale", ["ecole", "normale"]),
        ("スーパー・マリオ ２", ["ーマ"]),
        ("ｾﾞﾙﾀﾞ ﾉ", ["ダノ"]),
    ],
)
def test_title_terms_adds_joined_words_and_parts(title: str, further: list[str]) -> None:
    assert title_terms(title) == words(title) + further


@pytest.mark.parametrize(
    "title",
    [
        "jack-in-the-box",  # nobody types it as one
        "1998-11-21",
        "libfoo-1.0-dev",
        "snake_case",
        "DVDs PCs",
        "d41d8cd98f00b204e9800998ecf8427e",
    ],
)
def test_title_terms_adds_nothing_that_nobody_types(title: str) -> None:
    assert title_terms(title) == words(title)


@given(st.text() | _ODD)
def test_spaced_title_has_the_terms_of_the_title(text: str) -> None:
    assert split_spaced(spaced_title(text)) == [term.encode() for term in title_terms(text)]
    assert split_spaced(spaced(text)) == [word.encode() for word in words(text)]


def test_alternatives_tell_where_they_stand() -> None:
    assert list(alternatives("An F-16 PlayStation")) == [
        QueryToken("f16", 3, 7),
        QueryToken("play", 8, 12),
        QueryToken("station", 12, 19),
    ]


@pytest.mark.parametrize(
    ("text", "length", "place"),
    [("Zelda", 3, 3), ("F-16", 2, 3), ("Straße", 5, 5), ("Straße", 6, 5), ("ｾﾞﾙﾀﾞ", 1, 2), ("Poke\u0301mon", 4, 5)],
)
def test_place_after_counts_folded_letters(text: str, length: int, place: int) -> None:
    assert place_after(text, length) == place


@given(st.text(min_size=1) | _ODD)
def test_place_after_stays_within_the_text(text: str) -> None:
    for token in (*tokens(text), *alternatives(text)):
        part = text[token.start : token.end]
        places = [place_after(part, length) for length in range(1, len(token.text) + 1)]

        assert places == sorted(places)
        assert 0 < places[0] <= places[-1] <= len(part)


def test_analysis_takes_any_text() -> None:
    for text in naughty_strings():
        found = list(tokens(text))

        assert [token.text for token in found] == words(text)
        assert split_spaced(spaced_title(text)) == [term.encode() for term in title_terms(text)]
        assert {token.text for token in query_terms(text)} <= {token.text for token in found}


@pytest.mark.parametrize(
    "text",
    ["ゼルダ", "スーパーマリオ 64", "zelda ゼルダ の", "銀河鉄道 999", "ab bc cd", "ゼ", "ใจดี", "東京 タワー", "re"],
)
def test_folded_words_are_written_as_people_do(text: str) -> None:
    folded = " ".join(words(text, with_last=False))

    shown = written(folded)

    assert shown.count(" ") <= text.count(" ")
    assert " ".join(words(shown, with_last=False)) == folded


def test_runs_are_written_without_their_pairs() -> None:
    assert written("zelda ゼル ルダ 64") == "zelda ゼルダ 64"
    assert written("ab bc cd") == "ab bc cd"
