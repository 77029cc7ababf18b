"""Forms by which administrators make and change users."""

from typing import TypeVar

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # of 3.3, the types are of 3.2
from wtforms.validators import DataRequired

from livesearch.domain import User, UserRole
from livesearch.services.accounts import EMAIL_LENGTH, checked_groups, require_good_email, require_good_name
from livesearch.services.users import UserChange
from livesearch.web.forms.accounts import NAME, NEW_PASSWORD, PASSWORD_ADVICE, checked, good_password, required, text_of

# Of somebody else: the browser must not offer one's own.
_NAME = {**NAME, "autocomplete": "off"}
_EMAIL = {"type": "email", "autocomplete": "off", "maxlength": EMAIL_LENGTH}
_ROLES = {
    UserRole.VIEWER: "Viewer: searches and reads",
    UserRole.EDITOR: "Editor: changes documents, too",
    UserRole.ADMIN: "Admin: runs the site, too",
}
_ROLE_CHOICES = [SelectChoice(role.value, words) for role, words in _ROLES.items()]
ACTIVE, DISABLED = "active", "disabled"
_STATUSES = {ACTIVE: "May sign in", DISABLED: "May not sign in"}
_STATUS_CHOICES = [SelectChoice(status, words) for status, words in _STATUSES.items()]


class _UserForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Who a user is."""

    # Not `required`, which asks the request: a field that it leaves out keeps its value.
    name = StringField("Name", [DataRequired("Give a name."), checked(require_good_name)], render_kw=_NAME)
    email = StringField("E-mail (optional)", [checked(require_good_email)], render_kw=_EMAIL)
    role = SelectField("Role", choices=_ROLE_CHOICES, default=UserRole.VIEWER.value)


def _groups(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def _require_good_groups(text: str) -> None:
    checked_groups(_groups(text))


class NewUserForm(_UserForm):
    """What a new user needs."""

    password = PasswordField(
        "Initial password",
        [required("Choose a password."), good_password],
        description=f"{PASSWORD_ADVICE} Pass it on; it can be changed on the account page.",
        render_kw=NEW_PASSWORD,
    )


class UserForm(_UserForm):
    """What of a user can be changed."""

    groups = StringField(
        "Groups (optional)",
        [checked(_require_good_groups)],
        description="Commas between them. Rows can be for groups.",
        render_kw={"autocomplete": "off"},
    )
    status = SelectField("Signing in", choices=_STATUS_CHOICES, default=ACTIVE)
    changed_at = HiddenField()

    @classmethod
    def of(cls, user: User) -> "UserForm":
        """The form as the request fills it in; what the request leaves out is as the user is."""
        status = ACTIVE if user.is_active else DISABLED
        values = {"name": user.name, "email": user.email or "", "role": user.role.value, "status": status}
        values |= {"groups": ", ".join(user.groups), "changed_at": repr(user.changed_at)}
        return _with_own_ids(cls(data=values), user)

    def is_of(self, user: User) -> bool:
        """Whether the user is still as the form was made from."""
        return bool(self.changed_at.data == repr(user.changed_at))

    def renew(self, user: User) -> None:
        """Say what somebody else has made of the user meanwhile; sent again, the form holds."""
        status = _STATUSES[ACTIVE if user.is_active else DISABLED].lower()
        facts = ", ".join(filter(None, (user.name, user.email, user.role.capitalize(), *user.groups, status)))
        self.form_errors.append(
            f"Somebody else has changed this user meanwhile, to: {facts}. Save to have it as below."
        )
        self.changed_at.data = repr(user.changed_at)

    @property
    def change(self) -> UserChange:
        """What the user is to be; as long as nobody else changes them."""
        role = UserRole(self.role.data)
        return UserChange(
            text_of(self.name),
            text_of(self.email),
            role,
            is_active=self.status.data == ACTIVE,
            groups=_groups(text_of(self.groups)),
            changed_at=float(text_of(self.changed_at)),
        )


class ResetPasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Another password for a user."""

    new_password = PasswordField(
        "New password",
        [required("Choose a new password."), good_password],
        description=PASSWORD_ADVICE,
        render_kw=NEW_PASSWORD,
    )

    @classmethod
    def of(cls, user: User, *, is_blank: bool = True) -> "ResetPasswordForm":
        """The form, empty or as it was sent."""
        return _with_own_ids(cls(formdata=None) if is_blank else cls(), user)


Form = TypeVar("Form", UserForm, ResetPasswordForm)


def _with_own_ids(form: Form, user: User) -> Form:
    """Forms of several users may be open on one page."""
    for field in form:
        field.id = field.label.field_id = f"user-{user.id}-{field.name}"
    return form
