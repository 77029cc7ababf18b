"""Completions of an unfinished word."""

from collections.abc import Iterable

from pyroaring import BitMap

from livesearch.search import keys
from livesearch.search.matching import Postings


def complete(terms: Iterable[str], context: BitMap, postings: Postings, *, limit: int = 5) -> dict[str, int]:
    """The terms that documents in the context hold, most documents first, then by the alphabet.

    Args:
        terms: Words that begin as typed.
        context: Documents that hold the words before.

    Returns:
        By term, the first document that holds it.
    """
    held = {term: context & postings.get(keys.word(term, in_title=False)) for term in terms}
    best = sorted((term for term in held if held[term]), key=lambda term: (-len(held[term]), term))
    return {term: held[term][0] for term in best[:limit]}
