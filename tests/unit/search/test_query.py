"""From what was typed to what is looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.search.query import (
    QUERY_LENGTH,
    TERM_COUNT,
    Alternative,
    Clause,
    Condition,
    Kind,
    Term,
    can_be_named,
    parse_query,
)
from tests.naughty import naughty_strings

_GAMES = Collection(
    1,
    "games",
    1,
    2,
    (
        Field("id", FieldType.TEXT, Role.KEY),
        Field("title", FieldType.TEXT, Role.TITLE),
        Field("about", FieldType.TEXT, Role.TEXT),
        Field("maker", FieldType.TEXT, Role.FACET),
        Field("year", FieldType.NUMBER, Role.SORT),
        Field("released", FieldType.DATE, Role.DATE),
        Field("page", FieldType.URL, Role.URL),
        Field("secret", FieldType.TEXT, Role.HIDDEN),
        Field("long name", FieldType.TEXT, Role.FACET),
    ),
)


def _way(way: Alternative) -> str:
    return (f'"{way.text}"' if way.is_phrase else "+".join(way.words)) + "*" * way.is_prefix


def _clause(clause: Clause) -> str:
    field = f"{clause.field_name}:" if clause.field_name else ""
    return field + "|".join(map(_way, clause.alternatives)) + "=" * clause.is_quoted


def _condition(condition: Condition) -> str:
    sign, name, limits = "-" * condition.is_excluded, condition.field.name, condition.range
    if condition.value is not None:
        return f"{sign}{name}={condition.value}{'*' * condition.is_last}"
    ends = "()" if condition.is_open else "[]"
    return f"{sign}{name} in {ends[0]}{limits.minimum or ''},{limits.maximum or ''}{ends[1]}"


def _read(text: str) -> str:
    """What a text is read as: ``*`` is the beginning of a word, ``+`` joins words, ``=`` stands after quoted ones."""
    found = parse_query(text, _GAMES)
    excluded = ["-" + _clause(clause) for clause in found.excluded]
    return " ".join([*map(_clause, found.clauses), *excluded, *map(_condition, found.conditions)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Hunger Gam", "the hunger gam*"),
        ("The Hunger Gam ", "the hunger gam"),
        ("Gam\u3000", "gam"),
        ("Gam!", "gam"),
        ("Pokémon", "pokemon*"),
        ("pac-man", "pac man*"),
        ("snake_case", "snake case*"),
        # Each word once, whether or not the last of them is finished.
        ("new york new", "new york"),
        ("dur dur", "dur"),
        ('"new" new', "new= new*"),
        ("", ""),
        ("  *()& ", ""),
        ("- -- -", ""),
    ],
)
def test_words_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"New York"', '"new york"='),
        ('"New Yor', '"new yor"*='),
        ('"New Yor ', '"new yor"='),
        ("“New York„ x", '"new york"= x*'),
        ('"new" york', "new= york*"),
        ('"new', "new*="),
        ('the "new york" times', 'the "new york"= times*'),
        ('a"b c"d', 'a "b c"= d*'),
        ('"" x', "x*"),
        ('"', ""),
        ('"!?"', ""),
    ],
)
def test_phrases_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zelda -link", "zelda -link"),
        ("-link zelda", "zelda* -link"),
        ("-pac-man", "-pac+man"),
        ('-"new yor', '-"new yor"='),
        ("-title:zel", "-title:zel"),
        ("-maker:seg", "-maker=seg"),
        ("-year:1990..", "-year in [1990,]"),
        ("well-known", "well known*"),
        ("a - b", "a b*"),
        ("--b", "-b"),
        ("-", ""),
        ("-a -a", "-a"),
    ],
)
def test_exclusions_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red OR blu", "red|blu*"),
        ("red | blue || green ", "red|blue|green"),
        ('"deep red" OR blue x', '"deep red"|blue= x*'),
        ("a red OR blue b ", "a red|blue b"),
        ("pac-man OR zelda ", "pac+man|zelda"),
        ("red OR OR blue ", "red|blue"),
        ("red OR", "red"),
        ("red or blue ", "red or blue"),
        ("OR", "or*"),
        ("OR red ", "or red"),
        ('"OR"', "or="),
        # Fields and what is excluded are no ways to choose from: all of it is required.
        ("title:red OR blue ", "title:red blue"),
        ("title:red OR title:blue ", "title:red|blue"),
        ("red OR title:blue OR title:green ", "red title:blue|green"),
        ("red OR title:blue ", "red title:blue"),
        ("maker:sega OR red ", "red maker=sega"),
        ("-red OR blue ", "blue -red"),
    ],
)
def test_choices_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title:zel", "title:zel*"),
        ("TITLE:Zelda x", "title:zelda x*"),
        ('title:"new york" ', 'title:"new york"='),
        ("title:new-york ", "title:new+york"),
        ('title:new-york title:"new york" ', 'title:new+york title:"new york"='),
        ("id:a1", "id:a1*"),
        ("title:", ""),
        ("title: zelda", "zelda*"),
        ("maker:seg", "maker=seg*"),
        ("maker:seg ", "maker=seg"),
        ('maker:"sega europe"', "maker=sega europe"),
        ('maker:"sega eur', "maker=sega eur*"),
        ('maker:"sega eur ', "maker=sega eur"),
        ("maker:", ""),
        # Neither hidden fields nor links can be named, and what is no field is two words.
        ("secret:x ", "secret x"),
        ("page:x ", "page x"),
        ("foo:bar ", "foo bar"),
        ("-foo:bar ", "-foo -bar"),
        ("https://example.org/x?y=1", "https example org x y 1*"),
        ("12:30 ", "12 30"),
        (":zelda", "zelda*"),
        ("foo:", "foo"),
        ("title:maker:sega ", "title:maker+sega"),
    ],
)
def test_fields_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("year:1990", "year in [1990,1990]"),
        ("year:1990..1995", "year in [1990,1995]"),
        ("year:1990..", "year in [1990,]"),
        ("year:..1995", "year in [,1995]"),
        ("year:>1990", "year in (1990,)"),
        ("year:>=1990", "year in [1990,]"),
        ("year:<1990", "year in (,1990)"),
        ("year:<=1990", "year in [,1990]"),
        ("year:-5..-1", "year in [-5,-1]"),
        ('year:"1990 .. 1995"', "year in [1990,1995]"),
        ("released:1990-01..1990-02-03", "released in [1990-01,1990-02-03]"),
        ("zelda year:1990 x", "zelda x* year in [1990,1990]"),
        ("year:", ""),
    ],
)
def test_ranges_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ゼ", "ゼ*"),
        ("ゼ zelda ", "ゼ* zelda"),
        ("ゼル", "ゼル"),
        ("ゼルダ", "ゼル+ルダ"),
        ("zeldaゼル", "zelda ゼル"),
        ('"ゼルダ"', '"ゼル ルダ"='),
        ('"ゼ"', "ゼ*="),
        ('"the ゼ"', '"the ゼ"*='),
        ("-ゼ ", "-ゼ*"),
        ("-ゼルダ ", "-ゼル+ルダ"),
        ("title:ゼルダ ", "title:ゼル+ルダ"),
        ("ゼルダ OR zelda ", "ゼル+ルダ|zelda"),
    ],
)
def test_scripts_without_spaces_are_read(text: str, expected: str) -> None:
    assert _read(text) == expected


def test_without_a_collection_no_field_can_be_named() -> None:
    assert [clause.typed.text for clause in parse_query("maker:sega").clauses] == ["maker", "sega"]


def test_fields_with_a_blank_in_their_name_cannot_be_named() -> None:
    assert [field.name for field in _GAMES.fields if can_be_named(field)] == [
        "id",
        "title",
        "about",
        "maker",
        "year",
        "released",
    ]


def test_what_is_left_out_is_told() -> None:
    many = " ".join(f"w{number}" for number in range(TERM_COUNT + 1))
    excluded = " ".join(f"-w{number}" for number in range(TERM_COUNT + 1))
    long = "a" * (QUERY_LENGTH + 1)

    assert len(parse_query(many).terms) == TERM_COUNT == 32
    assert not any(term.is_prefix for term in parse_query(many).terms)  # the unfinished word was left out
    assert parse_query(many).notices == ("Only the first 32 words of the search were used.",)
    assert parse_query(excluded).notices == ("Only the first 32 words of the search were used.",)
    assert parse_query(long).notices == ("Only the first 512 characters of the search were used.",)
    assert parse_query("a" * QUERY_LENGTH).notices == ()


def test_a_choice_or_phrase_of_many_words_is_bounded() -> None:
    words = [f"w{number}" for number in range(200)]

    for text in (" OR ".join(words), f'"{" ".join(words)}"', f"-{'-'.join(words)}", f"title:{'-'.join(words)}"):
        parsed = parse_query(text, _GAMES)
        terms = [
            term for clause in (*parsed.clauses, *parsed.excluded) for way in clause.alternatives for term in way.terms
        ]

        assert 0 < len(terms) <= QUERY_LENGTH // 4


_SIGNS = st.sampled_from([*'"“:-|.<>= \u3000ゼルaé1', "OR", " OR ", "maker:", "year:", "title:", "..", "-"])


@given(st.one_of(st.text(), st.lists(_SIGNS, max_size=30).map("".join)))
def test_any_text_is_a_query(text: str) -> None:
    parsed = parse_query(text, _GAMES)

    for clause in (*parsed.clauses, *parsed.excluded):
        start, end = clause.span
        assert 0 <= start < end <= len(text)
        assert clause.alternatives
        assert all(way.words and all(way.words) for way in clause.alternatives)
        assert all(way.kind is Kind.TYPED for way in clause.alternatives)
    assert len(set(parsed.terms)) == len(parsed.terms)
    assert all(condition.field.role in {Role.FACET, Role.SORT, Role.DATE} for condition in parsed.conditions)
    assert all(condition.typed in text.translate(str.maketrans("“", '"')) for condition in parsed.conditions)
    assert parsed.is_empty == (not _read(text))


@given(st.lists(_SIGNS, max_size=30).map("".join))
def test_a_blank_at_the_end_finishes_the_last_word(text: str) -> None:
    finished = parse_query(text + " ", _GAMES)

    # One character of a script without spaces is always a beginning.
    assert all(len(term.text) == 1 and not term.text.isascii() for term in finished.terms if term.is_prefix)
    assert not any(condition.is_last for condition in finished.conditions)


def test_naughty_strings_are_queries() -> None:
    for text in naughty_strings():
        for start in ("", "maker:", "year:", "title:", "-", '"', "red OR "):
            parse_query(start + text, _GAMES)


def test_spans_tell_where_clauses_were_typed() -> None:
    text = 'Zelda  -x "new york" title:Pac-Man red OR blue'
    parsed = parse_query(text, _GAMES)

    assert [text[slice(*clause.span)] for clause in parsed.clauses] == [
        "Zelda",
        '"new york"',
        "Pac-Man",
        "red OR blue",
    ]


def test_folded_is_what_was_typed() -> None:
    assert parse_query('The "Legend of" Zél', _GAMES).folded == "the legend of zel"


def test_plain_words_are_those_that_others_may_stand_for() -> None:
    text = 'red "green" "deep blue" title:pink black OR white ゼルダ ゼル ze'
    plain = [clause.typed.text for clause in parse_query(text, _GAMES).clauses if clause.is_plain]

    assert plain == ["red", "ゼル", "ze"]


def test_phrases_and_fields_must_be_checked() -> None:
    assert [parse_query(text, _GAMES).must_be_checked for text in ('"a b"', '-"a b"', "title:a", "-title:a")] == [
        True,
        True,
        True,
        True,
    ]
    assert [parse_query(text, _GAMES).must_be_checked for text in ("a b", '"a"', "-a", "maker:a", "a OR b")] == [
        False,
        False,
        False,
        False,
        False,
    ]


def test_alternatives_that_are_there_already_are_not_added() -> None:
    clause = parse_query("red ").clauses[0]
    known = Alternative(("red",), kind=Kind.FORM)
    fresh = Alternative(("reds",), kind=Kind.FORM)

    assert clause.with_alternatives([known]) is clause
    assert clause.with_alternatives([known, fresh]).alternatives == (clause.typed, fresh)


def test_term_fits_whole_words_or_beginnings() -> None:
    assert Term("gam", is_prefix=True).fits("games")
    assert not Term("gam").fits("games")
    assert Term("gam").fits("gam")
