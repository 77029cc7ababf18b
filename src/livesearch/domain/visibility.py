"""Who may see which rows, and who looks at them."""

from dataclasses import dataclass
from enum import StrEnum

from livesearch.domain.people import UserRole


class VisibleTo(StrEnum):
    """Whom the rows of a collection are for; but for the first, administrators see all of them."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"
    ROLE = "role"
    OWNER = "owner"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class VisibilityRule:
    """Who may see which rows of a collection.

    Attributes:
        role: The least role that sees them, for ``ROLE``.
        field: Names the row's owner, for ``OWNER``; lists groups of users, for ``GROUPS``. A row without a value there
            is for administrators alone.
    """

    to: VisibleTo = VisibleTo.PUBLIC
    role: UserRole | None = None
    field: str | None = None


PUBLIC = VisibilityRule()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at rows, as far as rules of visibility tell people apart.

    Attributes:
        name: The user's; None for who is none.
        role: None for visitors.
        groups: Those that the user is in.
        sees_all: Rules do not hold for them.
    """

    name: str | None = None
    role: UserRole | None = None
    groups: tuple[str, ...] = ()
    sees_all: bool = False


# Whoever is at the command line can read the store itself.
OPERATOR = Viewer(sees_all=True)


# Sees what is there for everybody; what services take where nobody is named.
ANYBODY = Viewer()
