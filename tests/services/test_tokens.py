"""API tokens, on both stores."""

import re

import pytest

from livesearch.domain import Scope, Token
from livesearch.errors import (
    CollectionNotFoundError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnauthorizedError,
)
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from livesearch.services.tokens import TokenService
from tests.conftest import WriteRows

DAY = 86_400


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(services: Services, clock: Clock) -> TokenService:
    return TokenService(services.transactions, clock)


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> str:
    await services.imports.run(write_rows("games", [{"id": "k1", "title": "Zelda"}]), ImportOptions(key="id"))
    return "games"


async def test_a_token_proves_itself_by_its_secret(tokens: TokenService, clock: Clock) -> None:
    made, secret = await tokens.create("nightly import", Scope.EDIT)

    assert re.fullmatch(r"lst_[A-Za-z0-9_-]{43}", secret)
    assert made == Token(made.id, "nightly import", Scope.EDIT, None, clock.now)
    assert await tokens.authenticate(f"Bearer {secret}") == made
    assert await tokens.authenticate(f"bearer  {secret} ") == made


async def test_only_a_hash_of_the_secret_is_stored(services: Services, tokens: TokenService) -> None:
    _, secret = await tokens.create("one", Scope.SEARCH)

    async with services.transactions.read() as conn:
        (row,) = (await conn.exec_driver_sql("SELECT * FROM api_tokens")).all()
    assert secret.removeprefix("lst_") not in repr(tuple(row))


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "This needs an API token"),
        ("", "This needs an API token"),
        ("Basic bHN0Xzpw", "This needs an API token"),
        ("Bearer", "This needs an API token"),
        ("Bearer a b", "This needs an API token"),
        ("Bearer lst_short", "not valid"),
        ("Bearer \0é😀", "not valid"),
        ("Bearer lst_" + "A" * 43, "not valid"),
        ("Bearer " + "A" * 100_000, "not valid"),
    ],
)
async def test_what_is_no_token_proves_nothing(tokens: TokenService, authorization: str | None, message: str) -> None:
    with pytest.raises(UnauthorizedError, match=message):
        await tokens.authenticate(authorization)


async def test_a_token_ends_after_its_days(tokens: TokenService, clock: Clock) -> None:
    made, secret = await tokens.create("short", Scope.SEARCH, days=2)
    clock.now += 2 * DAY - 1
    still = await tokens.authenticate(f"Bearer {secret}")
    clock.now += 1

    assert still == made
    assert made.expires_at == 1_000_000_000 + 2 * DAY
    assert not tokens.is_valid(made)
    with pytest.raises(UnauthorizedError, match="not valid"):
        await tokens.authenticate(f"Bearer {secret}")


async def test_a_revoked_token_proves_nothing(tokens: TokenService, clock: Clock) -> None:
    (one, first), (two, second) = [await tokens.create(name, Scope.ADMIN) for name in ("one", "two")]

    await tokens.revoke("one")
    await tokens.revoke(str(two.id))

    assert [token.revoked_at for token in await tokens.list_all()] == [clock.now, clock.now]
    for secret in (first, second):
        with pytest.raises(UnauthorizedError, match="not valid"):
            await tokens.authenticate(f"Bearer {secret}")
    for gone in ("one", str(one.id), "nonsense"):
        with pytest.raises(NotFoundError, match="There is no valid token"):
            await tokens.revoke(gone)


async def test_the_name_of_a_valid_token_is_taken(tokens: TokenService) -> None:
    await tokens.create("one", Scope.ADMIN)

    with pytest.raises(ConflictError, match="A token is named “one” already"):
        await tokens.create("one", Scope.SEARCH)

    await tokens.revoke("one")
    await tokens.create("one", Scope.SEARCH)

    assert [(token.name, token.scope) for token in await tokens.list_all()] == [
        ("one", Scope.ADMIN),
        ("one", Scope.SEARCH),
    ]


@pytest.mark.parametrize("name", ["", " ", "a" * 81, "12", "a\nb", "a\0b", "\x1b[31m"])
async def test_names_that_tell_nothing_are_refused(tokens: TokenService, name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a token"):
        await tokens.create(name, Scope.SEARCH)


@pytest.mark.parametrize("days", [0, -1, 3651])
async def test_days_out_of_range_are_refused(tokens: TokenService, days: int) -> None:
    with pytest.raises(InvalidInputError, match=f"cannot end after {days} days"):
        await tokens.create("one", Scope.SEARCH, days=days)


async def test_a_token_may_be_for_one_collection(services: Services, tokens: TokenService, games: str) -> None:
    made, secret = await tokens.create("one", Scope.ADMIN, collection=games)
    with pytest.raises(CollectionNotFoundError):
        await tokens.create("two", Scope.ADMIN, collection="nonsense")

    assert made.collection == "games"

    await services.collections.drop("games")

    assert await tokens.list_all() == []
    with pytest.raises(UnauthorizedError):
        await tokens.authenticate(f"Bearer {secret}")
