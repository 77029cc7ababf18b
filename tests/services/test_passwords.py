"""Passwords: which are taken, and how they are kept."""

import asyncio

import pytest

from livesearch.errors import InvalidInputError, TooManyAttemptsError
from livesearch.services.passwords import Passwords, require_good_password
from livesearch.services.throttles import Throttle


async def test_a_password_is_kept_as_argon2id_and_found_right() -> None:
    passwords = Passwords()

    kept = await passwords.hash("correct horse")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(kept, "correct horse")
    assert not await passwords.verify(kept, "correct Horse")
    assert not passwords.is_outdated(kept)
    assert passwords.is_outdated(kept.replace("t=2", "t=1"))


@pytest.mark.parametrize("kept", [None, "", "no hash", "$argon2id$"])
async def test_nobody_has_no_password(kept: str | None) -> None:
    assert not await Passwords().verify(kept, "")


async def test_the_loop_turns_while_passwords_are_hashed() -> None:
    passwords, turns = Passwords(), 0
    hashing = asyncio.gather(*(passwords.hash("correct horse") for _ in range(4)))

    while not hashing.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns > 20


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("seven77", "8 characters or more"),
        ("x" * 1025, "1,024 characters at most"),
        ("password", "first that are guessed"),
        ("FootBall", "first that are guessed"),
        ("zzzzzzzzzzzz", "first that are guessed"),
        ("Wilhelmina", "first that are guessed"),
    ],
)
def test_asvs_6_2_4_passwords_that_are_guessed_are_refused(password: str, fault: str) -> None:
    with pytest.raises(InvalidInputError, match=fault):
        require_good_password(password, name="wilhelmina")


@pytest.mark.parametrize("password", ["qzjxkvwp", "a b c d e", "ünïcödé 東京", "x1" * 512])
def test_asvs_6_2_5_any_characters_make_a_password(password: str) -> None:
    require_good_password(password, name="wilhelmina")


def test_a_throttle_says_how_long_to_wait_and_opens_again() -> None:
    now = 100.0
    throttle = Throttle(2, 60, lambda: now)
    throttle.take("ann")
    now = 130.0
    throttle.take("ann")

    with pytest.raises(TooManyAttemptsError) as caught:
        throttle.take("ann")
    throttle.take("bob")
    now = 160.0
    throttle.take("ann")

    assert caught.value.retry_after == 30
    assert str(caught.value) == "There were too many attempts. Try again in 1 minute."


def test_an_attempt_that_was_right_does_not_count() -> None:
    throttle = Throttle(1, 60, lambda: 0.0)

    for _ in range(5):
        throttle.take("ann")
        throttle.give_back("ann")
    throttle.take("ann")

    with pytest.raises(TooManyAttemptsError):
        throttle.take("ann")


def test_a_throttle_forgets_the_oldest_of_very_many() -> None:
    throttle = Throttle(1, 60, lambda: 0.0)

    for number in range(10_001):
        throttle.take(str(number))

    throttle.take("0")
    with pytest.raises(TooManyAttemptsError):
        throttle.take("10000")
