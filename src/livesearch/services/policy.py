"""Who may do what: the one place that decides it, for people and programs alike."""

from collections.abc import Iterable
from dataclasses import dataclass

from livesearch.domain import Collection, Scope, Token, User, UserRole, Viewer
from livesearch.errors import ForbiddenError, UnauthorizedError


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a visitor, a signed-in user, or a program with a token.

    Attributes:
        user: None unless a person has signed in.
        token: None unless a program asks.
    """

    user: User | None = None
    token: Token | None = None

    @property
    def scope(self) -> Scope | None:
        """The most they may do; None for a visitor, whom the policy of the site tells."""
        if self.token is not None:
            return self.token.power
        return self.user.role.scope if self.user is not None else None

    @property
    def label(self) -> str:
        """What the audit trail calls them."""
        if self.token is None:
            return self.user.name if self.user else ""
        owner = f" of {self.token.owner.name}" if self.token.owner else ""
        return f"token “{self.token.name}”{owner}"

    @property
    def viewer(self) -> Viewer:
        """Who they are to rules of visibility: a program is its owner, in as much as its token may do."""
        if self.scope is None:
            return Viewer()
        owner = self.user if self.token is None else self.token.owner
        role = next(role for role in UserRole if role.scope is self.scope)
        return Viewer(
            name=owner.name if owner else None,
            role=role,
            groups=owner.groups if owner else (),
            sees_all=role is UserRole.ADMIN,
        )


VISITOR = Actor()


class Policy:
    """What each may do: search and read, edit documents, or administer the site.

    Args:
        is_search_public: Whether visitors may search and read.
    """

    def __init__(self, *, is_search_public: bool) -> None:
        self._is_search_public = is_search_public

    def permits(self, actor: Actor, needed: Scope, collection: str | None = None) -> bool:
        """Whether ``require`` lets them."""
        try:
            self.require(actor, needed, collection)
        except (UnauthorizedError, ForbiddenError):
            return False
        return True

    def require(self, actor: Actor, needed: Scope, collection: str | None = None) -> None:
        """Let an actor do something.

        Args:
            collection: Name of the collection it is done to, whether there is one or not; None for the site. To read
                the list of collections is for every token: ``visible`` leaves out what it is not for.

        Raises:
            UnauthorizedError: They are nobody yet, and must say who they are.
            ForbiddenError: They may not.
        """
        if actor.token is not None:
            _require_token(actor.token, needed, collection)
        elif actor.user is not None:
            _require_role(actor.user, needed)
        elif needed is not Scope.SEARCH or not self._is_search_public:
            raise UnauthorizedError("Sign in to see this.")

    def require_user(self, actor: Actor) -> User:
        """The person who asks, for what is each person's own.

        Raises:
            UnauthorizedError: Nobody has signed in.
        """
        if actor.user is None:
            raise UnauthorizedError("Sign in to see this.")
        return actor.user

    def visible(self, actor: Actor, collections: Iterable[Collection]) -> list[Collection]:
        """The collections that an actor may know of."""
        only = actor.token.collection if actor.token is not None else None
        return [collection for collection in collections if only in {None, collection.name}]


def _require_token(token: Token, needed: Scope, collection: str | None) -> None:
    if not token.scope.covers(needed):
        raise ForbiddenError(
            f"This needs an API token of scope “{needed}”, and “{token.name}” has the scope “{token.scope}”."
        )
    if not token.power.covers(needed):
        raise ForbiddenError(f"The API token “{token.name}” can do no more than its owner, who may not do this.")
    is_list = collection is None and needed is Scope.SEARCH
    if token.collection is not None and token.collection != collection and not is_list:
        raise ForbiddenError(f"The API token “{token.name}” is for the collection “{token.collection}” only.")


def _require_role(user: User, needed: Scope) -> None:
    if not user.role.scope.covers(needed):
        enough = next(role for role in UserRole if role.scope.covers(needed))
        raise ForbiddenError(
            f"This is for users with the role “{enough}”, and yours is “{user.role}”. Ask whoever runs this site."
        )
