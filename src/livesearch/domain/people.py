"""Who may do what: users, their sign-ins, and the tokens of programs."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What an API token may do: look things up, change documents too, or tune collections too."""

    SEARCH = "search"
    EDIT = "edit"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        """Whether this scope is enough where another one is needed; each holds those before it."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


class UserRole(StrEnum):
    """What a user may do: search, change documents too, or run the site too."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def scope(self) -> Scope:
        """The scope of a token that may do as much."""
        return {UserRole.VIEWER: Scope.SEARCH, UserRole.EDITOR: Scope.EDIT, UserRole.ADMIN: Scope.ADMIN}[self]


@dataclass(frozen=True, slots=True)
class User:
    """A person's account, all but the password. Times are Unix seconds, UTC.

    Attributes:
        name: As the person writes it; no other account has it in another case or width.
        is_active: Whether it may sign in; its tokens open nothing where it may not.
        groups: What rows can be for; see ``VisibilityRule``.
    """

    id: int
    name: str
    role: UserRole
    email: str | None
    is_active: bool
    created_at: float
    changed_at: float
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some of the users that a text finds.

    Attributes:
        text: What was searched for; empty for all users.
        users: In the order of their names.
        total: How many the text finds.
        page: From 1.
        page_count: At least 1.
    """

    text: str
    users: tuple[User, ...]
    total: int
    page: int
    page_count: int


@dataclass(frozen=True, slots=True)
class UserSession:
    """One sign-in of a user, in one browser. Times are Unix seconds, UTC.

    Attributes:
        seen_at: Of the last request, exact to a minute.
        expires_at: When it ends, used or not.
        user_agent: What the browser called itself, shortened.
    """

    id: int
    user: User
    created_at: float
    seen_at: float
    expires_at: float
    user_agent: str


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, all but its secret. Times are Unix seconds, UTC.

    Attributes:
        collection: Name of the only collection it is for; None for all.
        expires_at: When it ends by itself; None for never.
        revoked_at: When it was taken back; None when it was not.
        owner: The user it belongs to, and can never do more than; None for one made at the command line.
    """

    id: int
    name: str
    scope: Scope
    collection: str | None
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    owner: User | None = None

    @property
    def power(self) -> Scope:
        """What it may do now: its scope, or less where its owner may do less."""
        return self.owner.role.scope if self.owner and self.scope.covers(self.owner.role.scope) else self.scope

    def is_valid(self, now: float) -> bool:
        """Whether it opens anything."""
        has_ended = self.revoked_at is not None or (self.expires_at is not None and now >= self.expires_at)
        return not has_ended and (self.owner is None or self.owner.is_active)
