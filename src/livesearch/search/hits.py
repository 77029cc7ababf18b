"""What a result shows of a document."""

from collections.abc import Sequence

from livesearch.domain import Collection, Document, Highlight, Hit, Role
from livesearch.search.highlighting import excerpt, has_match, highlight, snippet
from livesearch.search.query import Term
from livesearch.search.values import display_text, title_of

# Snippets a hit: more would push the next hit off the screen.
_SNIPPET_COUNT = 2


def make_hit(key: str, document: Document, collection: Collection, terms: Sequence[Term], *, score: float) -> Hit:
    """A document with its matched runs told apart."""
    title = title_of(document, collection, key)
    return Hit(key, document, highlight(excerpt(title, terms), terms), _snippets(document, collection, terms), score)


def _snippets(document: Document, collection: Collection, terms: Sequence[Term]) -> dict[str, Highlight]:
    """Fields beside the title in which a word was found; the first text field where there is none."""
    shown: dict[str, Highlight] = {}
    title_field = collection.title_field
    others = [f for f in collection.by_role(Role.TITLE, Role.TEXT) if f is not title_field]
    for field in others:
        text = excerpt(display_text(document.get(field.name)), terms)
        if text and has_match(text, terms):
            shown[field.name] = snippet(text, terms)
        if len(shown) == _SNIPPET_COUNT:
            return shown
    if not shown:
        first = next((f for f in others if f.role is Role.TEXT and document.get(f.name)), None)
        if first:
            shown[first.name] = snippet(excerpt(display_text(document[first.name]), ()), terms)
    return shown
