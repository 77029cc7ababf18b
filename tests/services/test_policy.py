"""Who may do what."""

import pytest

from livesearch.domain import Scope, Token, User, UserRole
from livesearch.errors import ForbiddenError, UnauthorizedError
from livesearch.services.policy import VISITOR, Actor, Policy

POLICY = Policy(is_search_public=True)

# Written by hand: what each may do, of search, edit and admin.
ALLOWED = {
    "visitor": {"search"},
    "viewer": {"search"},
    "editor": {"search", "edit"},
    "admin": {"search", "edit", "admin"},
    "token search": {"search"},
    "token edit": {"search", "edit"},
    "token admin": {"search", "edit", "admin"},
    "admin token of a viewer": {"search"},
    "edit token of an admin": {"search", "edit"},
}


def _user(role: str) -> User:
    return User(1, "ann", UserRole(role), None, is_active=True, created_at=0.0, changed_at=0.0)


def _actor(name: str) -> Actor:
    match name.split():
        case ["visitor"]:
            return VISITOR
        case [role]:
            return Actor(user=_user(role))
        case ["token", scope]:
            return Actor(token=Token(1, "one", Scope(scope), None, 0.0))
        case [scope, "token", "of", _, owner]:
            return Actor(token=Token(1, "one", Scope(scope), None, 0.0, owner=_user(owner)))
    raise AssertionError(name)


@pytest.mark.parametrize("needed", list(Scope))
@pytest.mark.parametrize("name", ALLOWED)
def test_each_may_do_what_is_theirs(name: str, needed: Scope) -> None:
    assert POLICY.permits(_actor(name), needed, "games") == (needed in ALLOWED[name])


def test_a_visitor_of_a_closed_site_may_do_nothing() -> None:
    closed = Policy(is_search_public=False)

    assert not closed.permits(VISITOR, Scope.SEARCH)
    assert closed.permits(_actor("viewer"), Scope.SEARCH)


@pytest.mark.parametrize(
    ("name", "needed", "words"),
    [
        ("token search", Scope.EDIT, "needs an API token of scope “edit”, and “one” has the scope “search”"),
        ("admin token of a viewer", Scope.EDIT, "no more than its owner"),
        ("viewer", Scope.EDIT, "users with the role “editor”, and yours is “viewer”"),
        ("editor", Scope.ADMIN, "users with the role “admin”, and yours is “editor”"),
    ],
)
def test_a_refusal_says_what_would_be_enough(name: str, needed: Scope, words: str) -> None:
    with pytest.raises(ForbiddenError, match=words):
        POLICY.require(_actor(name), needed)


@pytest.mark.parametrize("needed", [Scope.EDIT, Scope.ADMIN])
def test_a_visitor_is_asked_who_they_are(needed: Scope) -> None:
    with pytest.raises(UnauthorizedError):
        POLICY.require(VISITOR, needed)


def test_what_is_ones_own_is_for_people() -> None:
    assert POLICY.require_user(_actor("viewer")).name == "ann"
    for actor in (VISITOR, _actor("token admin"), _actor("edit token of an admin")):
        with pytest.raises(UnauthorizedError):
            POLICY.require_user(actor)


def test_a_token_of_one_collection_opens_no_other() -> None:
    actor = Actor(token=Token(1, "one", Scope.ADMIN, "games", 0.0))

    POLICY.require(actor, Scope.ADMIN, "games")
    POLICY.require(actor, Scope.SEARCH, None)
    for needed, collection in ((Scope.SEARCH, "books"), (Scope.ADMIN, None)):
        with pytest.raises(ForbiddenError, match="is for the collection “games” only"):
            POLICY.require(actor, needed, collection)


def test_trail_names_people_and_programs() -> None:
    ann = User(1, "Ann", UserRole.EDITOR, None, is_active=True, created_at=0.0, changed_at=0.0)
    nightly = Token(1, "nightly", Scope.EDIT, None, 0.0)
    hers = Token(1, "script", Scope.EDIT, None, 0.0, owner=ann)

    labels = [actor.label for actor in (VISITOR, Actor(ann), Actor(token=nightly), Actor(token=hers))]

    assert labels == ["", "Ann", "token “nightly”", "token “script” of Ann"]
