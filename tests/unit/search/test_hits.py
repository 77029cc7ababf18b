"""What a result shows of a document."""

from livesearch.domain import Collection, Field, FieldType, Highlight, Role, ScorePart
from livesearch.search.highlighting import Matcher
from livesearch.search.hits import HitMaker
from livesearch.search.query import Term

_GAMES = Collection(
    1,
    "games",
    1,
    1,
    (
        Field("title", FieldType.TEXT, Role.TITLE),
        Field("title_native", FieldType.TEXT, Role.TITLE),
        Field("note", FieldType.TEXT, Role.TEXT),
        Field("review", FieldType.TEXT, Role.TEXT),
    ),
)
_ZELDA = {"title": "Zelda", "title_native": "ゼルダの伝説", "note": "Hyrule's hero", "review": "A hero and a princess"}


def _marked(highlight: Highlight) -> str:
    return "".join(f"[{segment.text}]" if segment.is_match else segment.text for segment in highlight)


def test_make_hit_shows_fields_that_match_beside_the_title() -> None:
    hit = HitMaker(_GAMES, (Term("ゼル"), Term("ルダ"), Term("prin", is_prefix=True))).make("k", _ZELDA, score=1.0)

    assert _marked(hit.title) == "Zelda"
    assert {name: _marked(found) for name, found in hit.snippets.items()} == {
        "title_native": "[ゼルダ]の伝説",
        "review": "A hero and a [prin]cess",
    }


def test_make_hit_shows_the_first_text_where_nothing_else_matches() -> None:
    hit = HitMaker(_GAMES, (Term("zelda"),)).make("k", _ZELDA, score=1.0)

    assert _marked(hit.title) == "[Zelda]"
    assert {name: _marked(found) for name, found in hit.snippets.items()} == {"note": "Hyrule's hero"}


def test_make_hit_takes_a_matcher_for_many_hits() -> None:
    terms = (Term("hero"),)

    matcher = Matcher(terms)

    assert HitMaker(_GAMES, matcher).make("k", _ZELDA, score=1.0) == HitMaker(_GAMES, terms).make(
        "k", _ZELDA, score=1.0
    )


def test_make_hit_keeps_what_it_is_told() -> None:
    parts = (ScorePart("“zelda” whole in the title", 2.0),)

    hit = HitMaker(_GAMES, ()).make("k", _ZELDA, score=2.0, parts=parts, is_pinned=True)

    assert (hit.key, hit.document, hit.score, hit.parts, hit.is_pinned) == ("k", _ZELDA, 2.0, parts, True)
