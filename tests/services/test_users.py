"""Users as administrators see them: found, changed, removed, and never the last administrator."""

import asyncio
from dataclasses import fields

import pytest

from livesearch.domain import Scope, User, UserRole
from livesearch.errors import ConflictError, InvalidInputError, NameTakenError, NotFoundError
from livesearch.services import Services
from livesearch.services.accounts import name_key, search_text
from livesearch.services.users import UserChange
from livesearch.store import users as store

ADMIN, EDITOR, VIEWER = UserRole.ADMIN, UserRole.EDITOR, UserRole.VIEWER
PEOPLE = [
    ("Zoë Müller", "zoe@example.com"),
    ("Łukasz Nowak", "lukasz@example.org"),
    ("SØREN", None),
    ("100% real_name", "a/b@example.com"),
    ("東京", "tokyo@example.com"),
]


on_both_stores = pytest.mark.parametrize("store_url", ["copied_sqlite_url", "emptied_postgres_url"], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(getattr(request, "param", "copied_sqlite_url"))
    return url


async def _add(services: Services, name: str, email: str | None = None, role: UserRole = VIEWER) -> User:
    """Add a user without a password, which takes most of the time."""
    async with services.transactions.write() as conn:
        return await store.add_user(
            conn,
            name,
            name_key=name_key(name),
            role=role,
            email=email,
            search_text=search_text(name, email),
            password_hash="",
            now=1.0,
        )


def _as(user: User, **changed: object) -> UserChange:
    kept = {field.name: getattr(user, field.name) for field in fields(UserChange)}
    return UserChange(**{**kept, **changed})


async def _session(services: Services, user: User) -> str:
    async with services.transactions.write() as conn:
        return await services.sessions.begin(conn, user, user_agent="", replaces=None)


@on_both_stores
async def test_users_are_found_by_any_part_of_name_and_address(services: Services) -> None:
    for name, email in PEOPLE:
        await _add(services, name, email)
    wanted = {
        "": ["100% real_name", "Łukasz Nowak", "SØREN", "Zoë Müller", "東京"],
        "MULL": ["Zoë Müller"],
        "ｚｏｅ": ["Zoë Müller"],
        "müller zoë": ["Zoë Müller"],
        "nowak .org": ["Łukasz Nowak"],
        "lukasz": ["Łukasz Nowak"],
        "soren": ["SØREN"],
        "京": ["東京"],
        "@example.com": ["100% real_name", "Zoë Müller", "東京"],
        "0%": ["100% real_name"],
        "l_n": ["100% real_name"],
        "a/b": ["100% real_name"],
        "'": [],
        "mullerzoe": [],
        "zoe\0": [],
    }

    found = {text: [user.name for user in (await services.users.search(text)).users] for text in wanted}

    assert found == wanted


@on_both_stores
async def test_users_come_in_pages(services: Services) -> None:
    for number in range(30):
        await _add(services, f"user {number:02}")

    first, second, third = [await services.users.search(" USER ", page=page) for page in (1, 2, 3)]

    assert (first.text, first.total, first.page_count, len(first.users)) == ("USER", 30, 2, 25)
    assert [user.name for user in second.users] == [f"user {number}" for number in range(25, 30)]
    assert (third.users, third.total) == ((), 30)
    assert (await services.users.search("nobody")).page_count == 1


async def test_a_user_of_an_older_livesearch_is_found(services: Services) -> None:
    old = await _add(services, "Old")
    async with services.transactions.write() as conn:
        await store.change_user(conn, old.id, now=1.0, search_text=None)

    assert [user.name for user in (await services.users.search("anything")).users] == ["Old"]


@on_both_stores
async def test_a_user_is_changed_and_found_as_they_are_now(services: Services) -> None:
    user = await _add(services, "Ann", "ann@example.com")

    changed = await services.users.change(user.id, UserChange(" Beate ", "", EDITOR, is_active=True))

    assert (changed.name, changed.email, changed.role, changed.is_active) == ("Beate", None, EDITOR, True)
    assert changed.changed_at > user.changed_at
    assert await services.users.get(user.id) == changed
    assert [(await services.users.search(text)).total for text in ("ann", "beate")] == [0, 1]


@pytest.mark.parametrize(
    ("changed", "is_signed_in"),
    [({"name": "Anne"}, True), ({"email": None}, True), ({"role": EDITOR}, False), ({"is_active": False}, False)],
)
async def test_another_role_and_the_end_of_an_account_end_sessions(
    services: Services, changed: dict[str, object], *, is_signed_in: bool
) -> None:
    user = await _add(services, "Ann", "ann@example.com")
    secret = await _session(services, user)

    await services.users.change(user.id, _as(user, **changed))

    assert (await services.sessions.find(secret) is not None) is is_signed_in


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "ＢＯＢ"}, NameTakenError),
        ({"name": ""}, InvalidInputError),
        ({"email": "nonsense"}, InvalidInputError),
        ({"groups": ("a,b",)}, InvalidInputError),
    ],
)
async def test_a_change_that_cannot_be_made_leaves_the_user(
    services: Services, changed: dict[str, object], error: type[Exception]
) -> None:
    ann, _ = await _add(services, "Ann"), await _add(services, "Bob")

    with pytest.raises(error):
        await services.users.change(ann.id, _as(ann, **changed))

    assert await services.users.get(ann.id) == ann


async def test_a_name_may_change_its_case(services: Services) -> None:
    ann = await _add(services, "Ann")

    assert (await services.users.change(ann.id, _as(ann, name="ANN"))).name == "ANN"


@on_both_stores
async def test_a_user_is_deleted_with_sessions_and_tokens(services: Services) -> None:
    user = await _add(services, "Ann")
    secret = await _session(services, user)
    await services.tokens.create("nightly", Scope.SEARCH, owner=user)

    gone = await services.users.delete(user.id)

    assert gone == user
    assert await services.sessions.find(secret) is None
    assert await services.tokens.list_all() == []
    for call in (services.users.get(user.id), services.users.delete(user.id)):
        with pytest.raises(NotFoundError, match="not there"):
            await call


@on_both_stores
async def test_the_last_administrator_stays(services: Services) -> None:
    last = await _add(services, "Ann", role=ADMIN)
    disabled = await _add(services, "Bob", role=ADMIN)
    await services.users.change(disabled.id, _as(disabled, is_active=False))

    for change in (_as(last, role=EDITOR), _as(last, is_active=False)):
        with pytest.raises(ConflictError, match="“Ann” is the only administrator who can sign in"):
            await services.users.change(last.id, change)
    with pytest.raises(ConflictError, match="only administrator"):
        await services.users.delete(last.id)

    assert await services.users.get(last.id) == last
    assert (await services.users.change(last.id, _as(last, name="Anna"))).name == "Anna"
    await services.users.delete(disabled.id)


@on_both_stores
@pytest.mark.parametrize("round_", range(2))
async def test_of_two_administrators_who_remove_each_other_one_stays(services: Services, round_: int) -> None:
    ann, bob = [await _add(services, f"{name} {round_}", role=ADMIN) for name in ("Ann", "Bob")]

    ended = await asyncio.gather(
        services.users.delete(ann.id), services.users.change(bob.id, _as(bob, role=VIEWER)), return_exceptions=True
    )

    assert sorted(isinstance(end, ConflictError) for end in ended) == [False, True]
    left = [user for user in await services.accounts.list_all() if user.role is ADMIN]
    assert len(left) == 1


async def test_a_password_is_reset(services: Services) -> None:
    user = await services.accounts.add("Ann", "correct horse", role=VIEWER)
    secret = await services.accounts.sign_in("Ann", "correct horse", address="")

    with pytest.raises(InvalidInputError, match="8 characters"):
        await services.accounts.reset_password(user, "short")
    await services.accounts.reset_password(user, "another horse")

    assert await services.sessions.find(secret) is None
    assert await services.accounts.sign_in("Ann", "another horse", address="")
