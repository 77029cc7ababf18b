"""How often the word that was meant is found: livesearch's vocabulary against a scan and against tantivy's automata.

Every engine gets the same terms and proposes terms by edits, then by documents; the peers' are put in that order here.
"""

import gzip
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from string import ascii_lowercase

import click
import numpy as np
import tantivy
from rapidfuzz import process
from rapidfuzz.distance import OSA
from rich.table import Table

from benchmarks.peers import searched_rows
from benchmarks.printing import console, percentile
from livesearch.search.analysis import words
from livesearch.search.typos import ONE_EDIT_LENGTH, TWO_EDITS_LENGTH, edit_budget
from livesearch.search.vocabulary import Vocabulary

_LENGTHS = range(3, 33)
# Words that fewer documents hold are not taken for what people mean to type.
_LEAST_COUNT = 20
_FOUND = 5
# Hits that tantivy gives at most: all score the same, and the right one may be anywhere among them.
_HIT_COUNT = 5000

# From a typed word to terms, best first.
Propose = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Typed:
    """What is typed, and the word that was meant."""

    text: str
    meant: str


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--misspelled", multiple=True, type=click.Path(exists=True, dir_okay=False), help="Lines: wrong TAB right."
)
@click.option("--words", "count", default=1000, show_default=True, help="Words typed of each kind.")
@click.option("--no-peers", "is_alone", is_flag=True, help="livesearch alone, for a quick look.")
def typos(*, sources: Sequence[str], misspelled: Sequence[str], count: int, is_alone: bool) -> None:
    """Take the words of SOURCES for a vocabulary, and type some of them with mistakes."""
    frequencies = _count(chain.from_iterable(searched_rows(source)[1] for source in sources))
    chance = random.Random(1)  # noqa: S311  # words to type, not secrets
    whole = _with_mistakes(frequencies, chance, count)
    for path in misspelled:
        pairs = [pair for pair in _pairs(path) if pair.meant in frequencies and pair.text not in frequencies]
        whole[Path(path).name.split(".")[0]] = chance.sample(pairs, min(count, len(pairs)))
    unfinished = {"unfinished, one mistake": _unfinished(frequencies, chance, count)}
    ours, building = _built(frequencies)
    table = Table("typed", "engine", "words", "@1", f"@{_FOUND}", "CPU p50 ms", "p90 ms", "p99 ms")
    for name, typed in whole.items():
        _measure(table, name, "livesearch", typed, lambda word: _whole(ours, word))
        if not is_alone:
            _measure(table, name, "rapidfuzz, all terms", typed, _Scan(frequencies).propose)
            _measure(table, name, "tantivy", typed, _Tantivy(frequencies).whole)
    for name, typed in unfinished.items():
        _measure(table, name, "livesearch", typed, lambda word: _completed(ours, word))
        if not is_alone:
            _measure(table, name, "tantivy", typed, _Tantivy(frequencies).unfinished)
    console.print(building)
    console.print(table)


def _count(rows: Iterable[Sequence[str]]) -> Counter[str]:
    frequencies: Counter[str] = Counter()
    for texts in rows:
        found = {word for text in texts for word in words(text)}
        frequencies.update(word for word in found if word.isalpha() and len(word) in _LENGTHS)
    return frequencies


def _with_mistakes(frequencies: Counter[str], chance: random.Random, count: int) -> dict[str, list[_Typed]]:
    short = [word for word, held in frequencies.items() if held >= _LEAST_COUNT and len(word) > ONE_EDIT_LENGTH]
    long = [word for word in short if len(word) > TWO_EDITS_LENGTH + 1]
    one = [_Typed(_mistaken(word, chance), word) for word in chance.choices(short, k=count)]
    two = [_Typed(_mistaken(_mistaken(word, chance), chance), word) for word in chance.choices(long, k=count)]
    return {
        name: [typed for typed in some if typed.text not in frequencies]
        for name, some in (("one mistake", one), ("two mistakes", two))
    }


def _unfinished(frequencies: Counter[str], chance: random.Random, count: int) -> list[_Typed]:
    """Words broken off after some letters, with one mistake in them: none that some term begins with."""
    begun = {term[:length] for term in frequencies for length in range(1, len(term) + 1)}
    pool = [word for word, held in frequencies.items() if held >= _LEAST_COUNT and len(word) > ONE_EDIT_LENGTH + 1]
    found: list[_Typed] = []
    while len(found) < count:
        word = chance.choice(pool)
        text = _mistaken(word[: chance.randint(ONE_EDIT_LENGTH, len(word))], chance)
        if edit_budget(text) and text not in begun:
            found.append(_Typed(text, word))
    return found


def _mistaken(word: str, chance: random.Random) -> str:
    at, letter = chance.randrange(len(word)), chance.choice(ascii_lowercase)
    kinds = (
        word[at + 1 :],
        letter + word[at:],
        letter + word[at + 1 :],
        word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    )
    return word[:at] + chance.choice(kinds)


def _pairs(path: str) -> list[_Typed]:
    content = Path(path).read_bytes()
    text = (gzip.decompress(content) if path.endswith(".gz") else content).decode()
    pairs = [line.split("\t")[:2] for line in text.splitlines()]
    return [_Typed(wrong, right) for wrong, right in pairs if edit_budget(wrong) and right.isalpha()]


def _built(frequencies: Counter[str]) -> tuple[Vocabulary, str]:
    """The vocabulary, and what it took."""
    rows = sorted(frequencies.items())
    terms, counts = " ".join(term for term, _ in rows), np.array([held for _, held in rows], np.uint32)
    started = time.thread_time()
    vocabulary = Vocabulary.build(terms, counts, version=1, language="english")
    seconds = time.thread_time() - started
    size = vocabulary.size / 2**20
    return vocabulary, f"{len(vocabulary):,} terms put in order in {seconds:.2f} CPU seconds, {size:.1f} MiB"


def _measure(table: Table, name: str, engine: str, typed: Sequence[_Typed], propose: Propose) -> None:
    milliseconds, first, some = [], 0, 0
    for one in typed:
        started = time.thread_time()
        found = propose(one.text)[:_FOUND]
        milliseconds.append((time.thread_time() - started) * 1000)
        first += found[:1] == [one.meant]
        some += one.meant in found
    shares = [f"{number / len(typed):.3f}" for number in (first, some)]
    times = [f"{percentile(milliseconds, share):.2f}" for share in (0.5, 0.9, 0.99)]
    table.add_row(name, engine, str(len(typed)), *shares, *times)


def _whole(vocabulary: Vocabulary, word: str) -> list[str]:
    return [found.term for found in vocabulary.corrections(word, is_prefix=False, limit=_FOUND)]


def _completed(vocabulary: Vocabulary, word: str) -> list[str]:
    """The most frequent terms that begin with what may have been meant, fewer mistakes first."""
    found = vocabulary.corrections(word, is_prefix=True, limit=_FOUND)
    terms = [(one.distance, term) for one in found for term in vocabulary.beginning(one.term, _FOUND)]
    return [term for _, term in sorted(terms, key=lambda pair: (pair[0], -vocabulary.frequency(pair[1])))]


class _Scan:
    """Every term compared, in C."""

    def __init__(self, frequencies: Counter[str]) -> None:
        self._terms = sorted(frequencies)
        self._counts = np.array([frequencies[term] for term in self._terms])

    def propose(self, word: str) -> list[str]:
        """Terms by edits, then by documents."""
        budget = edit_budget(word)
        [distances] = process.cdist([word], self._terms, scorer=OSA.distance, score_cutoff=budget, dtype=np.uint8)
        near = np.flatnonzero(distances <= budget)
        order = np.lexsort((-self._counts[near], distances[near]))
        return [self._terms[place] for place in near[order[:_FOUND]].tolist()]


class _Tantivy:
    """An index of the terms, one document each."""

    def __init__(self, frequencies: Counter[str]) -> None:
        self._frequencies = frequencies
        self._schema = tantivy.SchemaBuilder().add_text_field("term", stored=True, tokenizer_name="raw").build()
        index = tantivy.Index(self._schema)
        writer = index.writer(100_000_000, 1)
        for term in frequencies:
            writer.add_document(tantivy.Document(term=[term]))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def whole(self, word: str) -> list[str]:
        """Terms by edits, then by documents."""
        return self._ordered(word, is_prefix=False)

    def unfinished(self, word: str) -> list[str]:
        """Terms that begin with something near, by edits, then by documents."""
        return self._ordered(word, is_prefix=True)

    def _ordered(self, word: str, *, is_prefix: bool) -> list[str]:
        budget = edit_budget(word)
        query = tantivy.Query.fuzzy_term_query(self._schema, "term", word, budget, prefix=is_prefix)
        hits = self._searcher.search(query, _HIT_COUNT, count=False).hits
        terms = [self._searcher.doc(address)["term"][0] for _, address in hits]

        def edits(term: str) -> int:
            if not is_prefix:
                return OSA.distance(word, term)
            lengths = range(len(word) - budget, min(len(word) + budget, len(term)) + 1)
            return min((OSA.distance(word, term[:length]) for length in lengths), default=budget)

        return sorted(terms, key=lambda term: (edits(term), -self._frequencies[term]))
