"""Accounts and sessions; what depends on the store, on both."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from livesearch.domain import Scope, User, UserRole
from livesearch.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooManyAttemptsError,
    UnauthorizedError,
)
from livesearch.services import Services
from livesearch.services.accounts import AccountService, name_key
from livesearch.services.sessions import SessionService
from livesearch.services.tokens import TokenService

HOUR, DAY = 3600.0, 86_400.0
PASSWORD = "correct horse"
HOME = "192.0.2.1"

SignIn = Callable[..., Awaitable[str]]

on_both_stores = pytest.mark.parametrize("store_url", ["copied_sqlite_url", "emptied_postgres_url"], indirect=True)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(getattr(request, "param", "copied_sqlite_url"))
    return url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(services: Services, clock: Clock) -> SessionService:
    return SessionService(services.transactions, clock)


@pytest.fixture
def accounts(services: Services, sessions: SessionService, clock: Clock) -> AccountService:
    return AccountService(services.transactions, sessions, is_registration_open=True, clock=clock)


@pytest.fixture
async def ann(accounts: AccountService) -> User:
    return await accounts.add("Ann", PASSWORD, role=UserRole.EDITOR, email="ann@example.com")


@pytest.fixture
def sign_in(accounts: AccountService) -> SignIn:
    async def sign_in(name: str = "ann", password: str = PASSWORD, address: str = HOME, **options: str) -> str:
        return await accounts.sign_in(name, password, address=address, **options)

    return sign_in


@on_both_stores
async def test_a_user_is_kept_as_given(accounts: AccountService, ann: User, clock: Clock) -> None:
    assert ann == User(ann.id, "Ann", UserRole.EDITOR, "ann@example.com", True, clock.now, clock.now)  # noqa: FBT003
    assert await accounts.list_all() == [ann]


@pytest.mark.parametrize("name", ["Ann", "ANN", " ann ", "Ａｎｎ"])
async def test_a_name_is_one_persons_in_any_case_and_width(accounts: AccountService, ann: User, name: str) -> None:
    with pytest.raises(ConflictError, match="Somebody is named"):
        await accounts.add(name, PASSWORD, role=UserRole.VIEWER)

    assert await accounts.list_all() == [ann]


@on_both_stores
@pytest.mark.parametrize("name", ["ann\0", "\0", "", "\ufffd", "ann" * 100])
async def test_a_name_that_nobody_can_have_is_nobodys(sign_in: SignIn, ann: User, name: str) -> None:
    with pytest.raises(UnauthorizedError, match="The name or the password is wrong"):
        await sign_in(name, ann.name)


@on_both_stores
async def test_of_two_who_take_a_name_at_once_one_gets_it(accounts: AccountService) -> None:
    made = await asyncio.gather(
        *(accounts.add(name, PASSWORD, role=UserRole.VIEWER) for name in ("Zoë", "ZOË")), return_exceptions=True
    )

    assert sorted(isinstance(one, ConflictError) for one in made) == [False, True]


def test_names_are_compared_as_people_read_them() -> None:
    assert name_key(" Straße") == name_key("STRASSE")
    assert name_key("Zoe") != name_key("Zoë")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\nb", "a\x00b"])
async def test_a_name_that_cannot_be_read_is_refused(accounts: AccountService, name: str) -> None:
    with pytest.raises(InvalidInputError, match="1 to 80 characters"):
        await accounts.add(name, PASSWORD, role=UserRole.VIEWER)


@pytest.mark.parametrize(
    "email",
    [
        "ann",
        "@example.com",
        "ann@",
        "a b@example.com",
        "x" * 250 + "@a.de",
        "a@b@c.de",
        "a@b.de,c@d.de",
        "<a@b.de>",
        "a@[b",
    ],
)
async def test_what_is_no_address_is_refused(accounts: AccountService, email: str) -> None:
    with pytest.raises(InvalidInputError, match="no e-mail address"):
        await accounts.add("ann", PASSWORD, role=UserRole.VIEWER, email=email)


@on_both_stores
async def test_a_session_is_found_by_its_secret_alone(
    services: Services, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    secret = await sign_in(user_agent="x" * 300)

    found = await sessions.find(secret)
    async with services.transactions.read() as conn:
        (row,) = (await conn.exec_driver_sql("SELECT * FROM user_sessions")).all()
        (user,) = (await conn.exec_driver_sql("SELECT * FROM users")).all()
    assert found is not None
    assert (found.user, found.user_agent) == (ann, "x" * 200)
    assert await sessions.find(secret + "x") is None
    assert secret not in repr(tuple(row))
    assert PASSWORD not in repr(tuple(user))


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("ann", "")])
async def test_who_proves_nothing_is_told_nothing(ann: User, sign_in: SignIn, name: str, password: str) -> None:
    assert ann.is_active

    with pytest.raises(UnauthorizedError, match=r"^The name or the password is wrong\.$"):
        await sign_in(name, password)


async def test_too_many_attempts_on_one_name_are_refused_from_anywhere(ann: User, sign_in: SignIn) -> None:
    for number in range(10):
        with pytest.raises(UnauthorizedError):
            await sign_in(ann.name, "wrong horse", f"192.0.2.{number}")

    with pytest.raises(TooManyAttemptsError) as caught:
        await sign_in(ann.name, PASSWORD, "192.0.2.99")

    assert 290 <= caught.value.retry_after <= 300


async def test_too_many_attempts_from_one_address_are_refused_for_any_name(ann: User, sign_in: SignIn) -> None:
    for number in range(10):
        with pytest.raises(UnauthorizedError):
            await sign_in(f"nobody {number}", PASSWORD)

    with pytest.raises(TooManyAttemptsError):
        await sign_in(ann.name)

    assert await sign_in(ann.name, address="192.0.2.2")


async def test_one_address_locks_nobody_else_out(ann: User, sign_in: SignIn) -> None:
    for number in range(1100):
        with pytest.raises((UnauthorizedError, TooManyAttemptsError)):
            await sign_in(f"nobody {number}", PASSWORD)

    assert await sign_in(ann.name, address="192.0.2.2")


async def test_attempts_at_once_are_all_counted(ann: User, sign_in: SignIn) -> None:
    outcomes = await asyncio.gather(*(sign_in(ann.name, "wrong horse") for _ in range(14)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(TooManyAttemptsError) == 4


async def test_right_attempts_are_not_counted(ann: User, sign_in: SignIn) -> None:
    for _ in range(12):
        await sign_in(ann.name)


async def test_asvs_7_2_4_a_new_sign_in_ends_the_browsers_old_session(
    sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    first = await sign_in()
    second = await sign_in(replaces=first)

    assert first != second
    assert await sessions.find(first) is None
    assert [session.user for session in await sessions.list_of(ann)] == [ann]


@pytest.mark.parametrize(("unused", "is_there"), [(12 * HOUR - 1, True), (12 * HOUR, False)])
async def test_asvs_7_3_1_a_session_ends_unused(
    sessions: SessionService, ann: User, sign_in: SignIn, clock: Clock, *, unused: float, is_there: bool
) -> None:
    secret = await sign_in()

    clock.now += unused

    assert bool(await sessions.list_of(ann)) is is_there
    assert (await sessions.find(secret) is not None) is is_there


async def test_asvs_7_3_2_a_session_ends_used_or_not(
    sessions: SessionService, ann: User, sign_in: SignIn, clock: Clock
) -> None:
    secret, began = await sign_in(ann.name), clock.now

    while await sessions.find(secret) is not None:
        clock.now += 6 * HOUR

    assert clock.now - began == 14 * DAY


@on_both_stores
async def test_use_is_recorded_once_a_minute(
    services: Services, sessions: SessionService, ann: User, sign_in: SignIn, clock: Clock
) -> None:
    secret, seen = await sign_in(ann.name), []

    for _ in range(5):
        clock.now += 25
        await sessions.find(secret)
        async with services.transactions.read() as conn:
            seen.append((await conn.exec_driver_sql("SELECT seen_at FROM user_sessions")).scalar_one())

    assert [at - 1_000_000_000 for at in seen] == [0, 0, 75, 75, 75]


@on_both_stores
async def test_a_store_that_is_busy_does_not_hold_up_a_page(
    services: Services, sessions: SessionService, ann: User, sign_in: SignIn, clock: Clock
) -> None:
    secret = await sign_in(ann.name)
    clock.now += 120

    async with services.transactions.write():
        found = await asyncio.wait_for(sessions.find(secret), 2)

    assert found is not None


@on_both_stores
async def test_asvs_7_4_1_a_session_that_ended_stays_so(sessions: SessionService, ann: User, sign_in: SignIn) -> None:
    here, there = await sign_in(), await sign_in()

    await sessions.end(here)
    (other,) = await sessions.list_of(ann)
    await sessions.end_of(ann, other.id)

    assert (await sessions.find(here), await sessions.find(there)) == (None, None)
    with pytest.raises(NotFoundError):
        await sessions.end_of(ann, other.id)


async def test_nobody_ends_the_session_of_another(
    accounts: AccountService, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    bob = await accounts.add("bob", PASSWORD, role=UserRole.ADMIN)
    secret = await sign_in()
    (of_ann,) = await sessions.list_of(ann)

    with pytest.raises(NotFoundError):
        await sessions.end_of(bob, of_ann.id)

    assert await sessions.find(secret) is not None


@on_both_stores
async def test_asvs_7_4_3_a_new_password_ends_every_session_but_the_one_that_changed_it(
    accounts: AccountService, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    old = [await sign_in(), await sign_in()]

    new = await accounts.change_password(ann, PASSWORD, "another horse", address=HOME)

    assert [await sessions.find(secret) for secret in old] == [None, None]
    assert await sessions.find(new) is not None
    with pytest.raises(UnauthorizedError):
        await sign_in()
    assert await sign_in(password="another horse")


async def test_the_password_is_not_changed_by_who_does_not_know_it(
    accounts: AccountService, ann: User, sign_in: SignIn
) -> None:
    with pytest.raises(UnauthorizedError, match="not your password"):
        await accounts.change_password(ann, "wrong horse", "another horse", address=HOME)
    with pytest.raises(InvalidInputError, match="8 characters"):
        await accounts.change_password(ann, PASSWORD, "short", address=HOME)

    assert await sign_in()


async def test_an_operator_gives_another_password(
    accounts: AccountService, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    secret = await sign_in(ann.name)

    await accounts.set_password("ANN", "another horse")

    assert await sessions.find(secret) is None
    assert await sign_in(password="another horse")


@on_both_stores
async def test_asvs_7_4_2_who_is_disabled_is_out_at_once(
    services: Services, accounts: AccountService, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    secret = await sign_in()
    _, token = await services.tokens.create("one", Scope.SEARCH, owner=ann)

    await accounts.set_active("ann", is_active=False)

    assert await sessions.find(secret) is None
    with pytest.raises(UnauthorizedError):
        await sign_in()
    with pytest.raises(UnauthorizedError):
        await services.tokens.authenticate(f"Bearer {token}")

    await accounts.set_active("ann", is_active=True)

    assert await sign_in()
    assert (await services.tokens.authenticate(f"Bearer {token}")).name == "one"
    assert await sessions.find(secret) is None


@on_both_stores
async def test_who_is_deleted_leaves_nothing(
    services: Services, accounts: AccountService, sessions: SessionService, ann: User, sign_in: SignIn
) -> None:
    secret = await sign_in()
    await services.tokens.create("one", Scope.SEARCH, owner=ann)

    await accounts.delete_own(ann, PASSWORD, address=HOME)

    assert await accounts.list_all() == []
    assert await sessions.find(secret) is None
    assert await services.tokens.list_all() == []
    with pytest.raises(NotFoundError, match="Nobody is named “ann”"):
        await accounts.delete("ann")


@on_both_stores
async def test_a_number_is_never_another_persons(accounts: AccountService, ann: User) -> None:
    await accounts.delete("ann")

    assert (await accounts.add("bob", PASSWORD, role=UserRole.VIEWER)).id > ann.id


async def test_the_only_administrator_stays(accounts: AccountService) -> None:
    admin = await accounts.add("root", PASSWORD, role=UserRole.ADMIN)
    await accounts.add("other", PASSWORD, role=UserRole.ADMIN)
    await accounts.set_active("other", is_active=False)

    with pytest.raises(ConflictError, match="only administrator"):
        await accounts.delete_own(admin, PASSWORD, address=HOME)
    await accounts.set_active("other", is_active=True)
    await accounts.delete_own(admin, PASSWORD, address=HOME)

    assert [user.name for user in await accounts.list_all()] == ["other"]


async def test_registration_makes_viewers_where_it_is_open(services: Services, accounts: AccountService) -> None:
    made = await accounts.register("bob", PASSWORD, email="", address=HOME)

    assert (made.role, made.email) == (UserRole.VIEWER, None)
    with pytest.raises(ForbiddenError, match="whoever runs this site"):
        await services.accounts.register("eve", PASSWORD, email=None, address=HOME)


async def test_accounts_from_one_address_are_few(accounts: AccountService) -> None:
    for number in range(5):
        await accounts.register(f"user {number}", PASSWORD, email=None, address=HOME)

    with pytest.raises(TooManyAttemptsError):
        await accounts.register("user 5", PASSWORD, email=None, address=HOME)


@on_both_stores
async def test_the_setup_link_makes_one_administrator(accounts: AccountService) -> None:
    key = await accounts.open_setup()
    assert key is not None
    await accounts.require_setup(key)

    made = await asyncio.gather(
        *(accounts.set_up(key, name, PASSWORD) for name in ("ann", "bob")), return_exceptions=True
    )

    assert {type(one) for one in made} == {User, ForbiddenError}
    assert [user.role for user in await accounts.list_all()] == [UserRole.ADMIN]
    assert await accounts.open_setup() is None


async def test_the_setup_link_ends(accounts: AccountService, clock: Clock) -> None:
    first, second = await accounts.open_setup(), await accounts.open_setup()
    assert first is not None
    assert second is not None

    with pytest.raises(ForbiddenError, match="used or has ended"):
        await accounts.set_up(first, "ann", PASSWORD)
    clock.now += HOUR
    for attempt in (accounts.require_setup(second), accounts.set_up(second, "ann", PASSWORD)):
        with pytest.raises(ForbiddenError, match="livesearch user add NAME --role admin"):
            await attempt


async def test_a_setup_link_that_is_none_costs_no_hash(
    accounts: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts._passwords, "hash", None)  # noqa: SLF001

    with pytest.raises(ForbiddenError):
        await accounts.set_up("nonsense", "ann", PASSWORD)


async def test_the_setup_link_ends_with_the_first_user(accounts: AccountService) -> None:
    key = await accounts.open_setup()
    assert key is not None
    await accounts.add("bob", PASSWORD, role=UserRole.VIEWER)

    with pytest.raises(ForbiddenError):
        await accounts.set_up(key, "ann", PASSWORD)

    assert [user.name for user in await accounts.list_all()] == ["bob"]


async def test_a_token_can_do_no_more_than_its_owner(services: Services, ann: User) -> None:
    with pytest.raises(ForbiddenError, match="Your role is “editor”"):
        await services.tokens.create("one", Scope.ADMIN, owner=ann)

    token, secret = await services.tokens.create("one", Scope.EDIT, owner=ann)

    assert token.owner == ann
    assert await services.tokens.authenticate(f"Bearer {secret}") == token


@on_both_stores
async def test_tokens_are_each_persons_own(services: Services, accounts: AccountService, ann: User) -> None:
    bob = await accounts.add("bob", PASSWORD, role=UserRole.ADMIN)
    of_ann, _ = await services.tokens.create("one", Scope.SEARCH, owner=ann)
    of_bob, _ = await services.tokens.create("one", Scope.SEARCH, owner=bob)

    with pytest.raises(NotFoundError):
        await services.tokens.revoke_of(ann, of_bob.id)
    with pytest.raises(ConflictError, match=f"number of one: {of_ann.id}, {of_bob.id}"):
        await services.tokens.revoke("one")
    await services.tokens.revoke_of(ann, of_ann.id)

    assert await services.tokens.list_of(ann) == []
    assert await services.tokens.list_of(bob) == [of_bob]


async def test_a_persons_tokens_are_bounded(services: Services, ann: User) -> None:
    tokens = TokenService(services.transactions)
    for number in range(50):
        await tokens.create(f"token {number}", Scope.SEARCH, owner=ann)

    with pytest.raises(ConflictError, match="50 tokens already"):
        await tokens.create("one more", Scope.SEARCH, owner=ann)
