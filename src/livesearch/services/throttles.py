"""Limits on how often something may be tried, counted in this process."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from math import ceil

from livesearch.errors import TooManyAttemptsError

# Keys that are remembered at once, so that nobody fills the memory with names and addresses.
_KEY_COUNT = 10_000


class Throttle:
    """So many attempts of one key within so many seconds.

    Args:
        limit: Attempts (count).
        seconds: The window, which moves with the clock.
        clock: Tells seconds; only their differences matter.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count an attempt; one that is refused is not counted.

        Raises:
            TooManyAttemptsError: There were as many as there may be.
        """
        now = self._clock()
        attempts = self._attempts.setdefault(key, deque())
        self._attempts.move_to_end(key)
        while attempts and attempts[0] <= now - self._seconds:
            attempts.popleft()
        if len(attempts) >= self._limit:
            raise TooManyAttemptsError(max(1, ceil(attempts[0] + self._seconds - now)))
        attempts.append(now)
        if len(self._attempts) > _KEY_COUNT:
            self._attempts.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Take one attempt back: it was right."""
        if attempts := self._attempts.get(key):
            attempts.pop()
