"""What postings do not tell: whether words stand side by side, and in which field."""

from collections.abc import Iterable, Sequence

from livesearch.domain import Collection, Document, Field, Role
from livesearch.search.analysis import title_terms, words
from livesearch.search.query import Alternative, Clause, ParsedQuery, Term
from livesearch.search.values import is_searched, texts


class Checker:
    """Looks at documents for the clauses of a query that must be checked."""

    def __init__(self, query: ParsedQuery, collection: Collection) -> None:
        self._fields = [field for field in collection.fields if is_searched(field)]
        self._clauses = [clause for clause in query.clauses if clause.must_be_checked]
        self._excluded = [clause for clause in query.excluded if clause.must_be_checked]

    def holds(self, document: Document) -> bool:
        """Whether the document satisfies every clause, and none that is excluded."""
        return all(self.satisfies(document, clause) for clause in self._clauses) and not any(
            self.satisfies(document, clause) for clause in self._excluded
        )

    def satisfies(self, document: Document, clause: Clause) -> bool:
        """Whether the document satisfies one clause in any of its ways."""
        fields = [field for field in self._fields if clause.field_name in {None, field.name}]
        return any(_satisfies(document, fields, way) for way in clause.alternatives)


def _satisfies(document: Document, fields: Iterable[Field], way: Alternative) -> bool:
    held_texts = [(field, text) for field in fields for text in texts(document.get(field.name))]
    if way.is_phrase:
        return any(_stand_together(words(text, with_last=False), way.terms) for _, text in held_texts)
    # Only titles are found by joined words and by parts of words.
    held = [word for field, text in held_texts for word in (title_terms if field.role is Role.TITLE else words)(text)]
    return all(any(map(term.fits, held)) for term in way.terms)


def _stand_together(run: Sequence[str], terms: Sequence[Term]) -> bool:
    first, count = terms[0], len(terms)
    return any(
        first.fits(word) and all(term.fits(other) for term, other in zip(terms, run[at : at + count], strict=False))
        for at, word in enumerate(run[: len(run) - count + 1])
    )
