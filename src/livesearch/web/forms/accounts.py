"""Forms of accounts: what is asked for, and which faults are seen before a service is asked."""

from collections.abc import Callable, Iterable

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # of 3.3, the types are of 3.2
from wtforms.validators import InputRequired, Length, ValidationError

from livesearch.domain import Collection, Scope, User
from livesearch.errors import InvalidInputError
from livesearch.services.accounts import EMAIL_LENGTH, NAME_LENGTH, require_good_email, require_good_name
from livesearch.services.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, require_good_password

NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": NAME_LENGTH}
_CURRENT = {"autocomplete": "current-password", "maxlength": LONGEST_PASSWORD}
NEW_PASSWORD = {"autocomplete": "new-password", "minlength": SHORTEST_PASSWORD, "maxlength": LONGEST_PASSWORD}
PASSWORD_ADVICE = "8 characters or more. A sentence of 15 or more is best."  # noqa: S105  # no secret

# What a token's end is chosen from: days, and words.
_ENDS = [
    SelectChoice("30", "In 30 days"),
    SelectChoice("90", "In 90 days"),
    SelectChoice("365", "In a year"),
    SelectChoice("", "Never"),
]
_SCOPES = {
    Scope.SEARCH: "Search and read",
    Scope.EDIT: "Change documents, too",
    Scope.ADMIN: "Change synonyms, pins and ranking, too",
}


def text_of(field: StringField) -> str:
    """What was typed; nothing where the request has no such field."""
    return field.data or ""


def required(words: str) -> InputRequired:
    """A validator that wants something typed, and says so in these words."""
    return InputRequired(words)


def checked(check: Callable[[str], None]) -> Callable[[FlaskForm, Field], None]:
    """A validator that says what a service would."""

    def validate(_form: FlaskForm, field: Field) -> None:
        try:
            check(field.data or "")
        except InvalidInputError as error:
            raise ValidationError(str(error)) from error

    return validate


def good_password(form: FlaskForm, field: Field) -> None:
    """Refuse what cannot be the password of the name that the form has, too."""
    name = form.name.data if "name" in form else ""
    checked(lambda password: require_good_password(password, name=name or ""))(form, field)


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Name and password."""

    name = StringField("Name", [required("Give your name."), Length(max=NAME_LENGTH)], render_kw=NAME)
    password = PasswordField("Password", [required("Give your password.")], render_kw=_CURRENT)
    next = HiddenField()


class RegisterForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What a new account needs."""

    name = StringField(
        "Name",
        [required("Choose a name."), checked(require_good_name)],
        render_kw=NAME,
    )
    email = StringField(
        "E-mail (optional)",
        [checked(require_good_email)],
        render_kw={"type": "email", "autocomplete": "email", "maxlength": EMAIL_LENGTH},
    )
    password = PasswordField(
        "Password", [required("Choose a password."), good_password], description=PASSWORD_ADVICE, render_kw=NEW_PASSWORD
    )
    next = HiddenField()


class SetupForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The first administrator."""

    name = StringField(
        "Name",
        [required("Choose a name."), checked(require_good_name)],
        render_kw=NAME,
    )
    password = PasswordField(
        "Password", [required("Choose a password."), good_password], description=PASSWORD_ADVICE, render_kw=NEW_PASSWORD
    )
    key = HiddenField()


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The password one has, and the one to have."""

    current_password = PasswordField("Current password", [required("Give your current password.")], render_kw=_CURRENT)
    new_password = PasswordField(
        "New password",
        [required("Choose a new password."), good_password],
        description=PASSWORD_ADVICE,
        render_kw=NEW_PASSWORD,
    )


class TokenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What a token is for."""

    token_name = StringField(
        "What it is for",
        [required("Say what it is for."), Length(max=NAME_LENGTH)],
        render_kw={"maxlength": NAME_LENGTH, "autocomplete": "off"},
    )
    scope = SelectField("It may")
    collection = SelectField("In")
    days = SelectField("It ends", choices=_ENDS, default="90")

    def offer(self, user: User, collections: Iterable[Collection]) -> "TokenForm":
        """Offer what this user may choose."""
        allowed = (scope for scope in Scope if user.role.scope.covers(scope))
        self.scope.choices = [SelectChoice(scope.value, _SCOPES[scope]) for scope in allowed]
        names = (SelectChoice(one.name) for one in collections)
        self.collection.choices = [SelectChoice("", "All collections"), *names]
        return self


class DeleteAccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The password, so that nobody else does it who finds the page open."""

    password_to_delete = PasswordField("Password", [required("Give your password.")], render_kw=_CURRENT)
