"""What the templates of accounts are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.forms.accounts import (
    ChangePasswordForm,
    DeleteAccountForm,
    RegisterForm,
    SetupForm,
    SignInForm,
    TokenForm,
)


@dataclass(frozen=True, slots=True)
class HeaderAccount:
    """Who is signed in, for the page's header.

    Attributes:
        can_import: Whether they may import rows.
        is_admin: Whether they may change how collections search.
    """

    name: str
    role: str
    initial: str
    can_import: bool
    is_admin: bool


@dataclass(frozen=True, slots=True)
class SignInFragment:
    """The form to sign in.

    Attributes:
        register_url: Where to make an account; empty where visitors may make none.
    """

    template: ClassVar[str] = "partials/_sign_in.html"

    form: SignInForm
    register_url: str


@dataclass(frozen=True, slots=True)
class SignInPage(SignInFragment):
    """The page to sign in on."""

    template: ClassVar[str] = "pages/sign_in.html"


@dataclass(frozen=True, slots=True)
class RegisterFragment:
    """The form to make an account."""

    template: ClassVar[str] = "partials/_register.html"

    form: RegisterForm
    sign_in_url: str


@dataclass(frozen=True, slots=True)
class RegisterPage(RegisterFragment):
    """The page to make an account on."""

    template: ClassVar[str] = "pages/register.html"


@dataclass(frozen=True, slots=True)
class SetupFragment:
    """The form to make the first administrator."""

    template: ClassVar[str] = "partials/_setup.html"

    form: SetupForm


@dataclass(frozen=True, slots=True)
class SetupPage(SetupFragment):
    """The page to make the first administrator on."""

    template: ClassVar[str] = "pages/setup.html"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token of one's own.

    Attributes:
        facts: What it may do, where, and until when; in words.
    """

    name: str
    facts: tuple[str, ...]
    revoke_url: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A sign-in of one's own."""

    browser: str
    facts: tuple[str, ...]
    is_current: bool
    end_url: str


@dataclass(frozen=True, slots=True)
class PasswordFragment:
    """The form to change one's password."""

    template: ClassVar[str] = "partials/_password.html"

    password_form: ChangePasswordForm
    user_name: str


@dataclass(frozen=True, slots=True)
class TokensFragment:
    """One's own tokens.

    Attributes:
        new_token: The secret of one that was made just now; empty otherwise.
    """

    template: ClassVar[str] = "partials/_own_tokens.html"

    token_form: TokenForm
    tokens: tuple[TokenRow, ...]
    new_token: str


@dataclass(frozen=True, slots=True)
class SessionsFragment:
    """Where one is signed in."""

    template: ClassVar[str] = "partials/_own_sessions.html"

    sessions: tuple[SessionRow, ...]


@dataclass(frozen=True, slots=True)
class DeleteAccountFragment:
    """The form to delete one's account."""

    template: ClassVar[str] = "partials/_delete_account.html"

    delete_form: DeleteAccountForm


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One's own account.

    Attributes:
        facts: Role, address and age of the account, in words.
        notice: What was done just now; empty where nothing was.
    """

    template: ClassVar[str] = "pages/account.html"

    user_name: str
    facts: tuple[str, ...]
    notice: str
    password_form: ChangePasswordForm
    token_form: TokenForm
    tokens: tuple[TokenRow, ...]
    new_token: str
    sessions: tuple[SessionRow, ...]
    delete_form: DeleteAccountForm


@dataclass(frozen=True, slots=True)
class ExpiredPage:
    """A form whose page has expired, to be sent again as it was typed.

    Attributes:
        fields: Names and values of what was typed; without passwords.
        token: That of a new page.
        can_send: Whether there is a form to send again.
        reload_url: The page it was on, to be loaded anew; the first page where the browser does not tell.
    """

    template: ClassVar[str] = "pages/expired.html"

    address: str
    fields: tuple[tuple[str, str], ...]
    token: str
    can_send: bool
    reload_url: str
