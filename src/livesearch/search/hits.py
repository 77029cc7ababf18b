"""What a result shows of a document."""

from collections.abc import Iterable

from livesearch.domain import Collection, Document, Highlight, Hit, Role, ScorePart
from livesearch.search.highlighting import Matcher, Sought, excerpt, highlight, snippet
from livesearch.search.values import display_text, title_of

# Snippets a hit: more would push the next hit off the screen.
_SNIPPET_COUNT = 2
_NO_WORDS = Matcher(())


def make_hit(
    key: str,
    document: Document,
    collection: Collection,
    terms: Iterable[Sought] | Matcher,
    *,
    score: float,
    parts: tuple[ScorePart, ...] = (),
    is_pinned: bool = False,
) -> Hit:
    """A document with its matched runs told apart.

    Args:
        terms: Every word that may have been found; for several hits make one ``Matcher`` of them.
    """
    matcher = Matcher.of(terms)
    title = title_of(document, collection, key)
    return Hit(
        key,
        document,
        highlight(excerpt(title, matcher), matcher),
        _snippets(document, collection, matcher),
        score,
        parts,
        is_pinned,
    )


def _snippets(document: Document, collection: Collection, matcher: Matcher) -> dict[str, Highlight]:
    """Fields beside the title in which a word was found; the first text field where there is none."""
    shown: dict[str, Highlight] = {}
    title_field = collection.title_field
    others = [f for f in collection.by_role(Role.TITLE, Role.TEXT) if f is not title_field and document.get(f.name)]
    for field in others:
        found = snippet(excerpt(display_text(document[field.name]), matcher), matcher)
        if any(segment.is_match for segment in found):
            shown[field.name] = found
        if len(shown) == _SNIPPET_COUNT:
            return shown
    if not shown:
        first = next((f for f in others if f.role is Role.TEXT), None)
        if first:
            shown[first.name] = snippet(excerpt(display_text(document[first.name]), _NO_WORDS), _NO_WORDS)
    return shown
