"""Completions of an unfinished word."""

from collections.abc import Iterable

from pyroaring import BitMap

from livesearch.search import keys
from livesearch.search.matching import Postings


def complete(terms: Iterable[str], context: BitMap, postings: Postings, *, limit: int = 5) -> list[str]:
    """The terms that documents in the context hold, most documents first, then by the alphabet.

    Args:
        terms: Words that begin as typed.
        context: Documents that hold the words before.
    """
    counted = [
        (context.intersection_cardinality(postings.get(keys.word(term, in_title=False))), term) for term in terms
    ]
    return [term for count, term in sorted(counted, key=lambda pair: (-pair[0], pair[1])) if count][:limit]
