"""Which documents a query finds, as far as postings tell."""

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.search import keys
from livesearch.search.indexing import IndexSchema, document_keys
from livesearch.search.matching import Match, Postings, filter_documents, match, needs, satisfying
from livesearch.search.query import Alternative, Kind, ParsedQuery, Term, parse_query

_COLLECTION = Collection(
    1,
    "games",
    1,
    2,
    (
        Field("title", FieldType.TEXT, Role.TITLE),
        Field("about", FieldType.TEXT, Role.TEXT),
        Field("platform", FieldType.TEXT, Role.FACET),
    ),
)


def _postings(documents: Iterable[Mapping[str, str]], *, only: Iterable[str] | None = None) -> Postings:
    """The postings of some documents; only those of some keys, where they are given."""
    by_key: dict[str, BitMap] = {}
    for number, document in enumerate(documents):
        for key in document_keys(document, IndexSchema.of(_COLLECTION)):
            by_key.setdefault(key, BitMap()).add(number)
    by_range = {
        (first, end): BitMap.union(BitMap(), *(found for key, found in by_key.items() if first <= key < end))
        for in_title in (False, True)
        for text in ("zelda", "zeldas")
        for first, end in [keys.word_range(text, in_title=in_title)]
    }
    return Postings({key: by_key[key] for key in only if key in by_key} if only is not None else by_key, by_range)


_GAMES = _postings(
    [
        {"title": "Zelda", "platform": "NES"},
        {"title": "Zeldas", "platform": "SNES"},
        {"title": "Link", "about": "of Zelda", "platform": "NES"},
        {"title": "Link", "about": "two Zeldas"},
        {"title": "Mario", "about": "nothing of it"},
    ]
)


def _found(text: str, postings: Postings = _GAMES) -> set[int]:
    return set(match(parse_query(text), postings).all)


def test_match_sorts_documents_into_tiers() -> None:
    found = match(parse_query("zelda"), _GAMES)

    assert found.all == BitMap([0, 1, 2, 3])
    assert found.tiers == (BitMap([0]), BitMap([1]), BitMap([2]), BitMap([3]), BitMap())


def test_match_takes_beginnings_of_any_length() -> None:
    for text in ("z", "ze", "zel", "zeld", "zelda"):
        assert _found(text) == {0, 1, 2, 3}, text
    assert _found("zeldas") == {1, 3}
    assert _found("zelda ") == {0, 2}
    assert _found("zeld ") == set()


def test_match_requires_every_word_wherever_it_stands() -> None:
    assert _found("link zelda") == {2, 3}
    assert _found("absent zeld") == set()


def test_match_tells_who_holds_the_words_as_typed_or_in_titles() -> None:
    typed = parse_query("link zelda ")
    form = Alternative(("zeldas",), kind=Kind.FORM)
    clauses = typed.clauses[0], typed.clauses[1].with_alternatives([form])

    assert match(typed, _GAMES).literal is None
    assert match(ParsedQuery(clauses), _GAMES).literal == BitMap([2])
    # In a title another form is as good.
    assert match(ParsedQuery(clauses[1:]), _GAMES).literal == BitMap([0, 1, 2])


def test_match_of_no_word_is_everything() -> None:
    found = match(parse_query(""), _GAMES)

    assert found.all == BitMap([0, 1, 2, 3, 4])
    assert found.tiers == (found.all,)


def test_match_within_leaves_the_order_of_tiers() -> None:
    found = match(parse_query("zelda"), _GAMES).within(BitMap([1, 3, 9]))

    assert found.all == BitMap([1, 3])
    assert found.tiers == (BitMap(), BitMap([1]), BitMap(), BitMap([3]), BitMap())


def test_match_takes_one_of_several_ways() -> None:
    assert _found("mario OR zelda ") == {0, 2, 4}
    assert _found("link mario OR zeldas ") == {3}


def test_match_leaves_out_what_is_excluded() -> None:
    assert _found("-link") == {0, 1, 4}
    assert _found("-link zel") == {0, 1}
    assert _found("zelda -link") == {0}
    assert _found("-zeld") == {0, 1, 2, 3, 4}


def test_match_leaves_phrases_to_those_who_read_the_documents() -> None:
    assert _found('"zelda of"') == _found("zelda of ") == {2}
    assert _found('-"zelda of"') == {0, 1, 2, 3, 4}


def test_documents_that_hold_a_corrected_word_only_are_the_last_tier() -> None:
    clause = parse_query("zeldas ").clauses[0]
    query = ParsedQuery((clause.with_alternatives([Alternative(("zelda",), kind=Kind.CORRECTED)]),))
    found = match(query, _GAMES)

    assert found.tiers == (BitMap([1]), BitMap(), BitMap([3]), BitMap(), BitMap([0, 2]))


def test_corrected_words_stand_for_a_typed_one_that_nothing_holds() -> None:
    clause = parse_query("zelad ").clauses[0]
    query = ParsedQuery((clause.with_alternatives([Alternative(("zelda",), kind=Kind.CORRECTED)]),))
    found = match(query, _GAMES)

    assert found.tiers == (BitMap([0]), BitMap(), BitMap([2]), BitMap(), BitMap())


def test_other_forms_are_no_corrections() -> None:
    clause = parse_query("zeldas ").clauses[0]
    query = ParsedQuery((clause.with_alternatives([Alternative(("zelda",), kind=Kind.FORM)]),))
    found = match(query, _GAMES)

    assert found.tiers == (BitMap([0, 1]), BitMap(), BitMap([2, 3]), BitMap(), BitMap())


def test_all_words_of_one_way_are_required() -> None:
    clause = parse_query("zl ").clauses[0].with_alternatives([Alternative(("link", "zelda"), kind=Kind.SYNONYM)])

    assert satisfying(clause, _GAMES) == BitMap([2])


_TEXTS = st.lists(
    st.sampled_from(["zelda", "zeldas", "zel", "link", "l", "-mario", "OR", '"of zelda"', "-link", "ma", "two"]),
    max_size=5,
).map(" ".join)


@given(_TEXTS, st.booleans())
def test_match_asks_for_nothing_but_what_it_said_it_needs(text: str, is_finished: bool) -> None:
    query = parse_query(text + " " * is_finished)
    wanted = needs((*query.clauses, *query.excluded), {"platform": ("NES",)})
    documents = [
        {"title": "Zelda", "platform": "NES"},
        {"title": "Link two", "about": "of Zelda"},
        {"title": "Mario", "about": "of zeldas", "platform": "NES"},
    ]
    whole = _postings(documents)
    loaded = Postings(
        _postings(documents, only=wanted.keys).by_key,
        {key_range: found for key_range, found in whole.by_range.items() if key_range in wanted.ranges},
    )

    assert match(query, loaded) == match(query, whole)
    assert filter_documents({"platform": ("NES",)}, loaded) == {"platform": BitMap([0, 2])}


@given(_TEXTS, st.booleans())
def test_tiers_are_disjoint_and_hold_every_match(text: str, is_finished: bool) -> None:
    found: Match = match(parse_query(text + " " * is_finished), _GAMES)

    assert sorted(number for tier in found.tiers for number in tier) == sorted(found.all)


def test_needs_names_postings_of_whole_words_and_of_beginnings() -> None:
    query = parse_query("new zelda")
    wanted = needs(query.clauses, {"platform": ("NES", "SNES")})

    assert wanted.keys == {"*", "wnew", "tnew", "wzelda", "tzelda", "fplatform\x1fNES", "fplatform\x1fSNES"}
    assert wanted.ranges == {keys.word_range("zelda", in_title=True), keys.word_range("zelda", in_title=False)}
    assert needs(parse_query("ze").clauses).keys == {"*", "wze", "tze", "pze", "qze"}
    assert needs(parse_query("ze").clauses, has_titles=False).keys == {"*", "wze", "pze"}
    assert needs(parse_query("zelda").clauses, has_titles=False).ranges == {("wzelda", "wzelda\U0010ffff")}
    assert needs(()).keys == {"*"}


def test_filter_documents_takes_the_values_of_one_field_as_alternatives() -> None:
    assert filter_documents({"platform": ("NES", "SNES", "none")}, _GAMES) == {"platform": BitMap([0, 1, 2])}
    assert filter_documents({"platform": ("none",)}, _GAMES) == {"platform": BitMap()}


def test_postings_that_are_missing_stand_for_no_document() -> None:
    empty = Postings({})

    assert empty.with_word(Term("zelda")) == empty.with_word(Term("zelda", is_prefix=True)) == BitMap()
    assert match(parse_query("zelda -link"), empty).all == BitMap()
