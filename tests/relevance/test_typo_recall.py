"""How often the word that was meant is proposed: real misspellings, and words of packages typed with mistakes."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pytest

from livesearch.search.analysis import words
from livesearch.search.typos import edit_budget
from livesearch.search.vocabulary import Correction, Vocabulary

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LEAST_COUNT = 10

# What was typed, and the word that was meant.
Pair = tuple[str, str]


@pytest.fixture(scope="module")
def frequencies() -> Counter[str]:
    """The words of package names, summaries and beginnings of descriptions."""
    if not SHARED.is_dir():
        pytest.skip("the shared data folder is absent")
    found: Counter[str] = Counter()
    with gzip.open(SHARED / "scale" / "packages.jsonl.gz") as lines:
        for line in lines:
            row = json.loads(line)
            text = f"{row['name']} {row['summary']} {(row.get('description') or '')[:500]}"
            found.update(word for word in set(words(text)) if word.isalpha() and 3 <= len(word) <= 32)
    return found


@pytest.fixture(scope="module")
def vocabulary(frequencies: Counter[str]) -> Vocabulary:
    rows = sorted(frequencies.items())
    counts = np.array([count for _, count in rows], np.uint32)
    return Vocabulary.build(" ".join(term for term, _ in rows), counts, version=1, language="english")


@pytest.fixture
def chance() -> random.Random:
    return random.Random(1)  # noqa: S311  # words to type, not secrets


def mistaken(word: str, chance: random.Random) -> str:
    """The word with a letter left out, put in or replaced, or two neighbours swapped."""
    at, letter = chance.randrange(len(word)), chance.choice(ascii_lowercase)
    before, here, after = word[:at], word[at], word[at + 1 :]
    return before + chance.choice([after, letter + here + after, letter + after, after[:1] + here + after[1:]])


def sampled(frequencies: Counter[str], chance: random.Random, *, least_length: int) -> list[str]:
    pool = sorted(term for term, count in frequencies.items() if count >= LEAST_COUNT and len(term) >= least_length)
    return chance.choices(pool, k=600)


def shares(
    pairs: Sequence[Pair], propose: Callable[[str], Sequence[Correction]], is_right: Callable[[str, str], bool]
) -> tuple[float, float]:
    """How often the first proposal is right, and how often one of them all."""
    first = every = 0
    for typed, meant in pairs:
        rights = [is_right(meant, found.term) for found in propose(typed)]
        first += rights[:1] == [True]
        every += any(rights)
    return first / len(pairs), every / len(pairs)


def whole_shares(vocabulary: Vocabulary, pairs: Sequence[Pair]) -> tuple[float, float]:
    return shares(pairs, lambda word: vocabulary.corrections(word, is_prefix=False), str.__eq__)


def misspelled(lines: Sequence[str], frequencies: Counter[str], chance: random.Random) -> list[Pair]:
    pairs = [line.split("\t")[:2] for line in lines]
    known = [(wrong, right) for wrong, right in pairs if right in frequencies and wrong not in frequencies]
    return chance.sample([pair for pair in known if edit_budget(pair[0])], 1000)


def test_recall_of_misspellings_in_wikipedia(
    vocabulary: Vocabulary, frequencies: Counter[str], chance: random.Random
) -> None:
    lines = (SHARED / "typos" / "wikipedia_common_misspellings.tsv").read_text().splitlines()

    first, every = whole_shares(vocabulary, misspelled(lines, frequencies, chance))

    assert first > 0.88
    assert every > 0.94


def test_recall_of_misspellings_in_programs(
    vocabulary: Vocabulary, frequencies: Counter[str], chance: random.Random
) -> None:
    lines = gzip.decompress((SHARED / "typos" / "typos_crate.tsv.gz").read_bytes()).decode().splitlines()

    first, every = whole_shares(vocabulary, misspelled(lines, frequencies, chance))

    assert first > 0.88
    assert every > 0.94


def test_recall_of_misspelled_shop_queries(vocabulary: Vocabulary) -> None:
    lines = (SHARED / "relevance" / "icecat" / "queries_typo.jsonl").read_text().splitlines()
    typed = [(row["wrong_word"], row["right_word"]) for row in map(json.loads, lines)]
    pairs = [(wrong, right) for wrong, right in typed if vocabulary.frequency(right) and edit_budget(wrong)]

    first, every = whole_shares(vocabulary, pairs)

    assert first > 0.8
    assert every > 0.93


@pytest.mark.parametrize(("mistakes", "least_length", "least"), [(1, 5, 0.97), (2, 10, 0.97)])
def test_recall_of_words_with_mistakes(
    vocabulary: Vocabulary,
    frequencies: Counter[str],
    chance: random.Random,
    mistakes: int,
    least_length: int,
    least: float,
) -> None:
    pairs = []
    for word in sampled(frequencies, chance, least_length=least_length):
        typed = word
        for _ in range(mistakes):
            typed = mistaken(typed, chance)
        if typed not in frequencies:
            pairs.append((typed, word))

    assert whole_shares(vocabulary, pairs)[1] > least


def test_recall_of_unfinished_words_with_a_mistake(
    vocabulary: Vocabulary, frequencies: Counter[str], chance: random.Random
) -> None:
    pairs = []
    for word in sampled(frequencies, chance, least_length=6):
        typed = mistaken(word[: chance.randint(4, len(word))], chance)
        if edit_budget(typed) and not vocabulary.count_beginning(typed):
            pairs.append((typed, word))

    first, every = shares(pairs, lambda word: vocabulary.corrections(word, is_prefix=True), str.startswith)

    assert first > 0.85
    assert every > 0.97


def test_unfinished_words_are_not_taken_for_too_much(
    vocabulary: Vocabulary, frequencies: Counter[str], chance: random.Random
) -> None:
    ratios = []
    for word in sampled(frequencies, chance, least_length=6):
        meant = word[: chance.randint(4, len(word))]
        typed = mistaken(meant, chance)
        if edit_budget(typed) and not vocabulary.count_beginning(typed):
            found = vocabulary.corrections(typed, is_prefix=True)
            proposed = sum(vocabulary.count_beginning(one.term) for one in found)
            ratios.append(proposed / vocabulary.count_beginning(meant))

    assert np.median(ratios) < 2
