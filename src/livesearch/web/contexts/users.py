"""What the templates of users administration are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts import Pagination
from livesearch.web.forms.users import NewUserForm, ResetPasswordForm, UserForm


@dataclass(frozen=True, slots=True)
class ShownUser:
    """A user, as lists and pages show them.

    Attributes:
        element_id: That of their row, whether it is closed, open or a form.
        initial: The first letter of the name.
        facts: Role, address and groups, in words.
        history: Since when the account is there and unchanged, in words.
        is_self: Whether it is who looks at the page.
        url: Their page.
        part_url: The part of it that htmx takes.
    """

    element_id: str
    name: str
    initial: str
    facts: tuple[str, ...]
    history: tuple[str, ...]
    is_active: bool
    is_self: bool
    url: str
    part_url: str


@dataclass(frozen=True, slots=True)
class UserRowFragment:
    """A user in the list, closed."""

    template: ClassVar[str] = "partials/_user_row.html"

    user: ShownUser


@dataclass(frozen=True, slots=True)
class UserFragment:
    """A user with all that can be done to them.

    Attributes:
        notice: What was done just now; empty where nothing was.
        is_live: Whether htmx exchanges it in place; on a page of its own links and forms lead on.
    """

    template: ClassVar[str] = "partials/_user.html"

    user: ShownUser
    password_form: ResetPasswordForm
    notice: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class UserPage(UserFragment):
    """A page about one user."""

    template: ClassVar[str] = "pages/user.html"


@dataclass(frozen=True, slots=True)
class UserFormFragment:
    """The form that changes a user."""

    template: ClassVar[str] = "partials/_user_form.html"

    user: ShownUser
    form: UserForm
    is_live: bool


@dataclass(frozen=True, slots=True)
class UserFormPage(UserFormFragment):
    """The page that changes a user."""

    template: ClassVar[str] = "pages/user_form.html"


@dataclass(frozen=True, slots=True)
class NewUserFragment:
    """The form that makes a user.

    Attributes:
        notice: What was done just now; empty where nothing was.
        is_fragment: Whether the notice goes to its place out of band.
    """

    template: ClassVar[str] = "partials/_new_user.html"

    form: NewUserForm
    notice: str
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class UserGoneFragment:
    """What is left of a user who was removed: a notice."""

    template: ClassVar[str] = "partials/_user_gone.html"

    notice: str
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class UsersFragment:
    """The users that a text finds.

    Attributes:
        refresh_url: Where to ask for the same part again when users come or go.
        pagination: None where one page holds all.
    """

    template: ClassVar[str] = "partials/_users.html"

    title: str
    text: str
    status: str
    users: tuple[ShownUser, ...]
    pagination: Pagination | None
    refresh_url: str
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class UsersPage(UsersFragment):
    """All users, with a search box over them and the form for another one."""

    template: ClassVar[str] = "pages/users.html"

    search_url: str
    placeholder: str
    suggest_url: str
    form: NewUserForm
    notice: str
