"""Passwords: which are taken, and how they are kept."""

import asyncio
import functools
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from livesearch.errors import InvalidInputError

# OWASP ASVS 5.0, 6.2.1 and 6.2.9: 8 at least, 64 must be possible; the upper end only keeps requests small.
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024

# Argon2id with 19 MiB, two passes and one lane: the least that OWASP's password storage sheet takes, 28 ms of a
# processor. The defaults of argon2-cffi cost eight times that for every attempt of anybody.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Both cores at most, and 38 MiB: who sends a thousand attempts at once waits.
_AT_ONCE = 2


class Passwords:
    """Hashes and verifies passwords in threads, a few at a time: the loop never waits for one."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The text by which a password is kept."""
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; None for somebody who is not there takes as long as a wrong one."""
        if len(password) > LONGEST_PASSWORD:
            return False
        async with self._turns:
            return await asyncio.to_thread(_verify, kept, password)

    def is_outdated(self, kept: str) -> bool:
        """Whether the password was kept with other parameters than those of today."""
        return _HASHER.check_needs_rehash(kept)


def require_good_password(password: str, *, name: str) -> None:
    """Refuse what is guessed first. There are no rules on which characters to mix: they make passwords worse.

    Args:
        name: The user's.

    Raises:
        InvalidInputError: It is too short or too long, the name itself, or among the most common passwords.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInputError(f"Take {SHORTEST_PASSWORD} characters or more; a sentence of 15 or more is best.")
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInputError(f"Take {LONGEST_PASSWORD:,} characters at most.")
    folded = password.casefold()
    if folded in _common() or folded == name.casefold() or len(set(folded)) == 1:
        raise InvalidInputError("This password is among the first that are guessed. Take another.")


def _verify(kept: str | None, password: str) -> bool:
    try:
        _HASHER.verify(_nobody() if kept is None else kept, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@functools.cache
def _nobody() -> str:
    """What stands in for the hash of a user who is not there."""
    return _HASHER.hash("")


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(files("livesearch.services").joinpath("common_passwords.txt").read_text("utf-8").split())
