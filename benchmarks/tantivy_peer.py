"""A peer: tantivy, the search library in Rust, in memory."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import tantivy

from benchmarks.peers import KeyedRow
from livesearch.search.analysis import words

# Bytes that the writer may hold before it makes a segment.
_HEAP_SIZE = 500_000_000


class Tantivy:
    """Rows in a tantivy index."""

    def __init__(
        self, rows: Iterable[KeyedRow], boosts: Mapping[str, float], *, tokenizer: str, path: Path | None = None
    ) -> None:
        """Index rows.

        Args:
            boosts: By field, one a column.
            tokenizer: ``default`` folds case, ``en_stem`` reduces words to their English stems as well.
            path: An empty folder for the index; in memory without one.
        """
        self._boosts = dict(boosts)
        builder = tantivy.SchemaBuilder().add_text_field("key", stored=True, tokenizer_name="raw")
        for name in boosts:
            builder.add_text_field(name, tokenizer_name=tokenizer)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(path) if path else None)
        writer = self._index.writer(_HEAP_SIZE, 1)
        for key, texts in rows:
            document = {"key": [key], **{name: [text] for name, text in zip(boosts, texts, strict=True)}}
            writer.add_document(tantivy.Document.from_dict(document))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def any_word(self, text: str, limit: int) -> list[str]:
        """Keys of the best documents that hold any word."""
        folded = " ".join(words(text))
        return self._keys(self._index.parse_query(folded, list(self._boosts), field_boosts=self._boosts), limit)

    def every_word(self, text: str, limit: int) -> list[str]:
        """Keys of the best documents that hold every word; the last may be unfinished unless a blank follows it."""
        typed = words(text)
        if not typed:
            return []
        is_prefix = not text.endswith(" ")
        parts = [(tantivy.Occur.Must, self._word(word)) for word in typed[: len(typed) - is_prefix]]
        if is_prefix:
            parts.append((tantivy.Occur.Must, self._beginning(typed[-1])))
        return self._keys(tantivy.Query.boolean_query(parts), limit)

    def _word(self, word: str) -> tantivy.Query:
        return self._anywhere({name: tantivy.Query.term_query(self._schema, name, word) for name in self._boosts})

    def _beginning(self, word: str) -> tantivy.Query:
        # A phrase of one unfinished word matches nothing here; an automaton without edits does what is meant. It scores
        # every document alike, so the whole word is asked for beside it and lifts those that hold it.
        begins = {
            name: tantivy.Query.boolean_query(
                [
                    (
                        tantivy.Occur.Must,
                        tantivy.Query.fuzzy_term_query(self._schema, name, word, distance=0, prefix=True),
                    ),
                    (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, name, word)),
                ]
            )
            for name in self._boosts
        }
        return self._anywhere(begins)

    def _anywhere(self, queries: Mapping[str, tantivy.Query]) -> tantivy.Query:
        boosted = [tantivy.Query.boost_query(query, self._boosts[name]) for name, query in queries.items()]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in boosted])

    def _keys(self, query: tantivy.Query, limit: int) -> list[str]:
        found = self._searcher.search(query, limit, count=False)
        return [str(self._searcher.doc(address).get_first("key")) for _, address in found.hits]
