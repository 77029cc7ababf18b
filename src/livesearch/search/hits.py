"""What a result shows of a document."""

from collections.abc import Iterable

from livesearch.domain import Collection, Document, Highlight, Hit, Role, ScorePart
from livesearch.search.highlighting import SNIPPET_LENGTH, Matcher, Sought, excerpt, highlight, snippet
from livesearch.search.values import display_text, title_of

# Snippets a hit: more would push the next hit off the screen.
_SNIPPET_COUNT = 2
_NO_WORDS = Matcher(())


class HitMaker:
    """Makes the hits of one search: what is the same for all of them is looked up once."""

    def __init__(self, collection: Collection, terms: Iterable[Sought] | Matcher) -> None:
        """Args: terms: Every word that may have been found."""
        self._collection = collection
        self._matcher = Matcher.of(terms)
        title = collection.title_field
        self._title_name = title.name if title else ""
        self._others = [field for field in collection.by_role(Role.TITLE, Role.TEXT) if field is not title]

    def make(
        self,
        key: str,
        document: Document,
        *,
        score: float,
        parts: tuple[ScorePart, ...] = (),
        is_pinned: bool = False,
    ) -> Hit:
        """A document with its matched runs told apart."""
        matcher = self._matcher
        title = document.get(self._title_name)
        if type(title) is not str or not (title := title.strip()):
            title = title_of(document, self._collection, key)
        shown = highlight(excerpt(title, matcher), matcher)
        return Hit(key, document, shown, self._snippets(document), score, parts, is_pinned)

    def _snippets(self, document: Document) -> dict[str, Highlight]:
        """Fields beside the title in which a word was found; the first text field where there is none."""
        shown: dict[str, Highlight] = {}
        first: tuple[str, str, Highlight] | None = None
        for field in self._others:
            if not (value := document.get(field.name)):
                continue
            text = display_text(value)
            found = snippet(excerpt(text, self._matcher), self._matcher)
            if any(segment.is_match for segment in found):
                shown[field.name] = found
                if len(shown) == _SNIPPET_COUNT:
                    return shown
            elif first is None and field.role is Role.TEXT:
                first = field.name, text, found
        if not shown and first:
            name, text, found = first
            # Of a short text all is shown, whatever is looked for.
            shown[name] = found if len(text) <= SNIPPET_LENGTH else snippet(excerpt(text, _NO_WORDS), _NO_WORDS)
        return shown
