"""Completions of an unfinished word."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS, Document, Segment, Suggestion
from livesearch.search import keys
from livesearch.search.analysis import QueryToken, query_terms, words
from livesearch.search.indexing import IndexSchema
from livesearch.search.matching import Postings
from livesearch.search.query import ParsedQuery
from livesearch.search.values import display_text

# Characters of a field that are looked through.
_READ_LENGTH = 4000
# Documents that are to show that a word stands somewhere as it is.
_EXAMPLE_COUNT = 2


def unfinished_word(text: str, parsed: ParsedQuery) -> QueryToken | None:
    """The word that is being typed, if it is one that can go on: of scripts without spaces none does.

    Args:
        text: As typed.
        parsed: The same, read; what is part of a phrase or of a field's value is not completed.
    """
    found, clauses = query_terms(text), parsed.clauses
    if not found or found[-1].end < len(text) or found[-1].is_run or not clauses:
        return None
    typed, last = found[-1], clauses[-1]
    is_whole_clause = last.span[1] == len(text) and last.typed.words == (typed.text,)
    return typed if is_whole_clause and last.typed.is_prefix and not last.has_choice else None


def completion(text: str, typed: QueryToken, term: str) -> Suggestion:
    """What was typed with its last word finished, in capitals where it is typed so; the part typed is told apart."""
    written, rest = text[typed.start :], term[len(typed.text) :]
    if len(written) > 1 and written.isupper():
        rest = rest.upper()
    segments = (Segment(text[: typed.start]), Segment(written, is_match=True), Segment(rest))
    return Suggestion(text + rest, tuple(segment for segment in segments if segment.text))


def written_words(documents: Iterable[Document], schema: IndexSchema, start: str) -> list[str]:
    """The words that begin so in some documents; those of most titles first, then those of most documents.

    Args:
        start: Folded; the word that is nothing more is left out.
    """
    titled: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for document in documents:
        in_title = _words_of(document, schema.title_names, start)
        titled.update(in_title)
        held.update(in_title | _words_of(document, schema.text_names, start))
    return sorted(held, key=lambda word: (-titled[word], -held[word], word))


def _words_of(document: Document, names: Iterable[str], start: str) -> set[str]:
    texts = (display_text(document.get(name))[:_READ_LENGTH] for name in names)
    return {word for text in texts for word in words(text) if word.startswith(start) and word != start}


def densest_chunks(documents: BitMap, chunks: Iterable[int], limit: int) -> list[int]:
    """The chunks that most of the documents stand in, most first; none without any."""
    counts = {chunk: documents.range_cardinality(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS) for chunk in chunks}
    return sorted((chunk for chunk in counts if counts[chunk]), key=lambda chunk: (-counts[chunk], chunk))[:limit]


def complete(terms: Iterable[str], context: BitMap, postings: Postings, *, limit: int) -> dict[str, Sequence[int]]:
    """The terms that documents in the context hold; those of most titles first, then those of most documents.

    Args:
        terms: Words that begin as typed.
        context: Documents that hold the words before.
        postings: Of the terms, in titles and anywhere.

    Returns:
        By term, some documents that hold it.
    """
    held = {term: context & postings.get(keys.word(term, in_title=False)) for term in terms}
    titled = {term: held[term].intersection_cardinality(postings.get(keys.word(term, in_title=True))) for term in held}
    best = sorted((term for term in held if held[term]), key=lambda term: (-titled[term], -len(held[term]), term))
    return {term: list(held[term][:_EXAMPLE_COUNT]) for term in best[:limit]}


def without_unwritten(
    examples: Mapping[str, Sequence[int]], documents: Mapping[int, Document], schema: IndexSchema
) -> list[str]:
    """The terms that stand so in one of their examples: “F-16” is found by f16, but nobody writes it so."""
    written = {number: schema.written_words(document) for number, document in documents.items()}
    return [term for term, numbers in examples.items() if any(term in written[number] for number in numbers)]
