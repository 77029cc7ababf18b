"""From what was typed to what is looked for. Any text whatever is a valid query."""

from dataclasses import dataclass

from livesearch.search.analysis import words

# A search box holds a question, not a page: longer text costs time and finds nothing more.
QUERY_LENGTH = 256
TERM_COUNT = 12


@dataclass(frozen=True, slots=True)
class Term:
    """One word that a document must hold; where ``is_prefix``, a word that begins so is enough."""

    text: str
    is_prefix: bool = False

    def fits(self, word: str) -> bool:
        """Whether a folded word is what is looked for."""
        return word == self.text or (self.is_prefix and word.startswith(self.text))


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The words of a query.

    Attributes:
        terms: In the order typed, each once; only the last can be a prefix. Empty when no word was typed.
        notices: What was left out and why, in words for people.
    """

    terms: tuple[Term, ...]
    notices: tuple[str, ...] = ()

    @property
    def folded(self) -> str:
        """The words with single spaces between them, as titles are compared to."""
        return " ".join(term.text for term in self.terms)


def parse_query(text: str) -> ParsedQuery:
    """Read a query: every word is required, the last may be unfinished.

    Args:
        text: As typed. Past 256 characters or 12 words the rest is left out, and a notice says so.
    """
    notices = []
    if len(text) > QUERY_LENGTH:
        text = text[:QUERY_LENGTH]
        notices.append(f"Only the first {QUERY_LENGTH} characters of the search were used.")
    # dict.fromkeys keeps the order; a word typed twice asks for nothing more.
    found = words(text)
    distinct = list(dict.fromkeys(found))
    if len(distinct) > TERM_COUNT:
        distinct = distinct[:TERM_COUNT]
        notices.append(f"Only the first {TERM_COUNT} words of the search were used.")
    if found and found[-1] != distinct[-1]:
        # “new york new”: the unfinished word is one already asked for, or one that was left out.
        return ParsedQuery(tuple(Term(word) for word in distinct), tuple(notices))
    return ParsedQuery(
        tuple(Term(word, is_prefix=at == len(distinct) - 1) for at, word in enumerate(distinct)), tuple(notices)
    )
