"""Debian packages as rows that someone knows: what would be typed to find them again."""

import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from livesearch.search.analysis import words

# Words at the beginning of more rows than that tell little of any of them; a word that fewer rows have is a name, and
# whoever remembers that types nothing else.
_FREQUENT_SHARE = 0.1
_RARE_COUNT = 100
# Letters of the shortest word one would remember, and of the shortest that is misspelled.
_WORD_LENGTH = 4
# Rows that may hold all the words of a description, and choices of words before a row is given up: one who remembers
# words that fit a hundred rows alike does not know which one is meant.
_ALIKE_COUNT = 10
_TRY_COUNT = 10
# Words of the description that are read: what a thing is stands at its beginning.
_READ_COUNT = 25
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONG_WORD = re.compile(rf"[a-z]{{{_WORD_LENGTH},}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Package:
    """One row.

    Attributes:
        popularity: Packages that depend on it.
    """

    key: str
    name: str
    summary: str
    description: str
    popularity: int


@dataclass(frozen=True, slots=True)
class Item:
    """A row and what is typed to find it.

    Attributes:
        misspelled: The text with one edit in it; None where no word of it is long enough.
    """

    key: str
    text: str
    misspelled: str | None


@dataclass(frozen=True, slots=True)
class ItemSet:
    """Rows that are looked for in one way."""

    name: str
    items: tuple[Item, ...]


def read_packages(path: str) -> list[Package]:
    """All rows of the file; of a repeated id the last, as an import would have it."""
    found = {}
    with gzip.open(path) as lines:
        for line in lines:
            row = orjson.loads(line)
            found[row["id"]] = Package(
                row["id"],
                row["name"],
                row.get("summary") or "",
                row.get("description") or "",
                row.get("reverse_dependencies") or 0,
            )
    return list(found.values())


def read_items(packages: Sequence[Package], *, item_count: int, seed: int) -> list[ItemSet]:
    """The three sets; the same for the same rows, number and seed."""
    chance = random.Random(seed)  # noqa: S311  # rows to type, not secrets
    popular = sorted(packages, key=lambda package: chance.random() ** (1 / (package.popularity or 1e-9)), reverse=True)
    describe = _describer(packages, chance)
    described = [
        (package, text) for package in chance.sample(packages, len(packages) // 4) if (text := describe(package))
    ]
    sets = (
        ("name, uniform", [(package, package.name) for package in chance.sample(packages, item_count)]),
        ("name, by popularity", [(package, package.name) for package in popular[:item_count]]),
        ("words of the description", described[:item_count]),
    )
    return [
        ItemSet(name, tuple(Item(package.key, text, misspell(text, chance)) for package, text in pairs))
        for name, pairs in sets
    ]


def _describer(packages: Sequence[Package], chance: random.Random) -> Callable[[Package], str | None]:
    """Gives three or four words of a row, in their order, that tell it from almost all others; None if it has none."""
    counts = Counter(word for package in packages for word in set(_told(package)))
    limit = _FREQUENT_SHARE * len(packages)
    known = {word for word, count in counts.items() if _RARE_COUNT <= count <= limit}
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for package in packages:
        for word in known.intersection(words(f"{package.name} {package.summary} {package.description}")):
            holders[word].add(package.key)

    def describe(package: Package) -> str | None:
        told = [word for word in dict.fromkeys(_told(package)) if word in known]
        count = chance.choice((3, 4))
        for _ in range(_TRY_COUNT if len(told) >= count else 0):
            chosen = [told[at] for at in sorted(chance.sample(range(len(told)), count))]
            if len(set.intersection(*(holders[word] for word in chosen))) <= _ALIKE_COUNT:
                return " ".join(chosen)
        return None

    return describe


def _told(package: Package) -> Iterator[str]:
    """The words of a row that one might remember, without those of its name."""
    named = set(words(package.name))
    for word in words(f"{package.summary} {package.description}")[:_READ_COUNT]:
        if len(word) >= _WORD_LENGTH and word.isalpha() and word not in named:
            yield word


def misspell(text: str, chance: random.Random) -> str | None:
    """Make one random edit inside a word of four letters or more, never at its first letter or a digit.

    Source: the first letter is right in 97 to 98 of 100 misspellings that people make.
    """
    found = list(_LONG_WORD.finditer(text))
    if not found:
        return None
    word = chance.choice(found)
    at = chance.randrange(word.start() + 1, word.end())
    wrong = text
    while wrong == text:
        letter = chance.choice(_LETTERS)
        wrong = chance.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + letter + text[at:],
                text[:at] + letter + text[at + 1 :],
                text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :] if at > word.start() + 1 else text,
            )
        )
    return wrong
