"""People who search, as times and requests: pure, and the same for the same seed.

Everything a visit will ask is fixed before it begins, whatever the server does: an open model, in which a slow answer
delays nobody's next key. Times are in seconds. What is assumed of people:

- They type a key each 180 to 250 ms (136 million keystrokes of 168,000 people: Dhakal et al., CHI 2018: mean 239 ms),
  log-normally spread, with longer pauses between words; 3 % of the keys are wrong, noticed up to two keys later and
  taken back.
- They look for what is popular, by the beginning of its title, and stop typing when they expect to see it.
- They read the results for 12 s (mean, log-normal), choose a value of a facet each fifth time, and open a document each
  third time, which they read for 20 s.
- They search two to six times a visit; the page stays open and asks for news each 15 s.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, sqrt
from typing import Literal
from urllib.parse import quote, urlencode

Kind = Literal["page", "search", "suggest", "facet", "document", "poll"]

# The page waits so long after a key before it asks (`delay:150ms` in templates/partials/_search_box.html).
DEBOUNCE = 0.150
_KEY_RANGE, _KEY_SPREAD, _SHORTEST_KEY = (0.180, 0.250), 0.5, 0.060
# A pause before a word is so many keys long, and one before a mistake is taken back.
_WORD_PAUSE, _NOTICE_PAUSE = 2.0, 2.5
_MISTAKE_SHARE = 0.03
_THINK, _READ, _READ_DOCUMENT = 2.0, 12.0, 20.0
_FACET_SHARE, _DOCUMENT_SHARE = 0.2, 0.35
_SEARCH_COUNTS = (2, 6)
_POLL = 15.0
# Letters of a title that are typed: at least, and at most.
_LENGTHS = (3, 16)
# Requests a second that a person makes, the mean over visits; a test holds it to the model.
REQUEST_RATE = 0.64
_NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "y"}


@dataclass(frozen=True, slots=True)
class Game:
    """Something to look for.

    Attributes:
        popularity: How much more often it is looked for than one with 1.
    """

    key: str
    title: str
    platform: str
    popularity: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One request.

    Attributes:
        due: When the browser makes it, in seconds from the beginning of the visit.
        target: Path and query string; empty for a poll, whose address the page tells.
        text: What the right answer says it was asked.
    """

    due: float
    kind: Kind
    target: str = ""
    text: str = ""

    @property
    def channel(self) -> str:
        """What it shares with the requests that it replaces: the browser aborts those that are under way."""
        return {"search": "form", "facet": "form", "suggest": "box", "poll": "poll"}.get(self.kind, "page")


class Crowd:
    """What people look for, and how often.

    Args:
        collection: Name of the collection they search.
        games: What it holds.
        strangers: Names that are looked for one time in ten, though they may not be there.
    """

    def __init__(self, collection: str, games: Sequence[Game], strangers: Sequence[str] = ()) -> None:
        self._path, self._box = f"/c/{quote(collection)}", f"/htmx/c/{quote(collection)}/suggest"
        self._collection, self._games, self._strangers = collection, games, strangers
        # Added up once: for each search that would take a millisecond, and a thousand people come within a second.
        self._cumulative_weights = list(accumulate(game.popularity for game in games))

    def visit(self, chance: random.Random) -> Iterator[Step]:
        """One visit's requests, in order of time."""
        steps = [Step(0.0, "page", self._path)]
        pace, now = chance.uniform(*_KEY_RANGE), 0.0
        for _ in range(chance.randint(*_SEARCH_COUNTS)):
            now = self._search(steps, now + _spread(chance, _THINK), pace, chance)
        steps += [Step(due, "poll") for due in _polls(now, chance)]
        return iter(sorted(steps, key=lambda step: step.due))

    def _search(self, steps: list[Step], now: float, pace: float, chance: random.Random) -> float:
        """Add one search; gives the time at which the person has read what it found."""
        game = chance.choices(self._games, cum_weights=self._cumulative_weights)[0]
        is_stranger = bool(self._strangers) and chance.random() < 0.1
        text = (chance.choice(self._strangers) if is_stranger else game.title).lower()
        keys = list(press(text[: chance.randint(*_LENGTHS)], pace, chance))
        steps += self._asked(now, keys)
        now, typed = now + keys[-1][0] + DEBOUNCE + _spread(chance, _READ), keys[-1][1]
        if chance.random() < _FACET_SHARE and not is_stranger:
            steps.append(Step(now, "facet", self._address(typed, platform=game.platform), typed))
            now += _spread(chance, _READ)
        if chance.random() < _DOCUMENT_SHARE and not is_stranger:
            steps.append(Step(now, "document", f"{self._path}/doc/{quote(game.key)}?{urlencode({'q': typed})}"))
            now += _spread(chance, _READ_DOCUMENT)
        return now

    def _asked(self, start: float, keys: Sequence[tuple[float, str]]) -> Iterator[Step]:
        """The requests of a text being typed: one each of form and box, wherever the keys pause for long enough."""
        asked = None
        for (time, text), following in zip(keys, [*(time for time, _ in keys[1:]), float("inf")], strict=True):
            due = start + time + DEBOUNCE
            if following - time < DEBOUNCE or text == asked:
                continue
            asked = text
            yield Step(due, "search", self._address(text), text)
            if text.strip():
                yield Step(due, "suggest", f"{self._box}?{urlencode({'q': text})}", text)

    def _address(self, text: str, platform: str | None = None) -> str:
        """As the form sends it, fields left empty included."""
        filters = {"f.platform": platform} if platform else {}
        return f"{self._path}?{urlencode({'q': text} | filters | {'min.year': '', 'max.year': '', 'sort': ''})}"


def press(text: str, pace: float, chance: random.Random) -> Iterator[tuple[float, str]]:
    """Type a text; gives the time of each key, from the first, and what stands in the box after it.

    Args:
        pace: Mean time between two keys of a word.
    """
    shown, now = "", 0.0
    for position, letter in enumerate(text):
        if position:
            now += _key(chance, pace * (_WORD_PAUSE if text[position - 1] == " " else 1))
        if letter in _NEIGHBOURS and chance.random() < _MISTAKE_SHARE:
            blind = text[position + 1 : position + 1 + chance.randint(0, 2)]
            for key in _NEIGHBOURS[letter] + blind:
                shown += key
                yield now, shown
                now += _key(chance, pace)
            now += pace * _NOTICE_PAUSE
            for _ in range(1 + len(blind)):
                shown = shown[:-1]
                yield now, shown
                now += _key(chance, pace)
        shown += letter
        yield now, shown


def _key(chance: random.Random, mean: float) -> float:
    return max(_SHORTEST_KEY, _spread(chance, mean, _KEY_SPREAD))


def _spread(chance: random.Random, mean: float, variation: float = 0.8) -> float:
    """A log-normal time with that mean, and a standard deviation of so many means."""
    sigma = sqrt(log(1 + variation**2))
    return exp(chance.gauss(log(mean) - sigma**2 / 2, sigma))


def _polls(end: float, chance: random.Random) -> Iterator[float]:
    due = chance.uniform(0.9, 1.1) * _POLL
    while due < end:
        yield due
        due += chance.uniform(0.9, 1.1) * _POLL
