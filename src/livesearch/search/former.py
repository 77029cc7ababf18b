"""What documents were at an earlier version, laid over the postings of now: so that a search can be made of then."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pyroaring import BitMap

from livesearch.domain import Document
from livesearch.search.indexing import IndexSchema, document_keys
from livesearch.search.matching import KeyRange


class FormerPostings:
    """Postings as they were before some documents changed."""

    def __init__(self, documents: Mapping[int, Document], changed: BitMap, schema: IndexSchema) -> None:
        """Index the documents.

        Args:
            documents: Those that there were, by number.
            changed: All that have changed since, those that are new among them.
        """
        self._changed = changed
        self._by_key: defaultdict[str, BitMap] = defaultdict(BitMap)
        for number, document in documents.items():
            for key in document_keys(document, schema):
                self._by_key[key].add(number)
        self._in_order = sorted(self._by_key)

    def of(self, keys: Iterable[str], now: Mapping[str, BitMap]) -> dict[str, BitMap]:
        """The documents of each key then; keys that no document held are left out.

        Args:
            now: The postings of the keys as they are.
        """
        found = {key: (now.get(key, _NOTHING) - self._changed) | self._by_key.get(key, _NOTHING) for key in keys}
        return {key: documents for key, documents in found.items() if documents}

    def of_any(self, key_range: KeyRange, now: BitMap) -> BitMap:
        """The documents of any key in the range then."""
        first, end = (bisect_left(self._in_order, key) for key in key_range)
        held = (self._by_key[key] for key in self._in_order[first:end])
        return BitMap.union(now - self._changed, *held)


_NOTHING = BitMap()
