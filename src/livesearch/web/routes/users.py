"""Users administration: found while typing, made, changed and removed; for administrators alone.

Each part that htmx asks for below ``/htmx/users`` is a page without it, at the same address without the prefix. What
changes a user takes ``POST`` as well, for forms without JavaScript.
"""

from http import HTTPStatus

import structlog
from flask import Blueprint, Response, flash, get_flashed_messages, make_response, request, url_for

from livesearch.domain import User, UserRole
from livesearch.domain import UserPage as FoundUsers
from livesearch.errors import InvalidInputError, NameTakenError
from livesearch.web.actors import current_actor
from livesearch.web.addresses import go
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.users import (
    NewUserFragment,
    UserFormPage,
    UserGoneFragment,
    UserPage,
    UserRowFragment,
)
from livesearch.web.detection import htmx, respond
from livesearch.web.forms.accounts import text_of
from livesearch.web.forms.users import NewUserForm, ResetPasswordForm, UserForm
from livesearch.web.parameters import parse_page
from livesearch.web.presenters.users import (
    present_open_user,
    present_user,
    present_user_form,
    present_users,
    present_users_page,
    users_address,
)
from livesearch.web.registry import current_services
from livesearch.web.rendering import Context, render

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("livesearch.users")

blueprint = Blueprint("users", __name__)
declare(blueprint, reading=Audience.ADMINS, changing=Audience.ADMINS)

# Without a limit, a number that no id can be would be a failure of the store.
_USER = "<int(min=1, max=2147483647):user_id>"


@blueprint.get("/users")
async def list_users() -> Response:
    """All users, or those that a text finds."""
    if htmx.fragment:
        return await search_users()
    return await _show_list(NewUserForm(formdata=None))


@blueprint.get("/htmx/users/search")
async def search_users() -> Response:
    """The part of the list that follows what is typed."""
    found = await _find()
    return _show(present_users(found, is_fragment=True), replace_url=users_address(found.text, found.page))


@blueprint.post("/users")
async def create_user() -> Response:
    """Make a user who may sign in with an initial password."""
    form = NewUserForm()
    user = await _create(form) if form.validate_on_submit() else None
    status = HTTPStatus.OK if user else HTTPStatus.UNPROCESSABLE_ENTITY
    notice = f"{user.name} is added." if user else ""
    if htmx.fragment:
        blank = NewUserForm(formdata=None) if user else form
        return _show(NewUserFragment(blank, notice, is_fragment=True), status, trigger="userCreated" if user else None)
    if user is None:
        return await _show_list(form, status)
    flash(notice)
    return go(url_for("users.show", user_id=user.id))


@blueprint.get(f"/users/{_USER}")
@blueprint.get(f"/htmx/users/{_USER}", endpoint="show_part")
async def show(user_id: int) -> Response:
    """One user, with all that can be done to them."""
    return _show_user(await current_services().users.get(user_id))


@blueprint.get(f"/htmx/users/{_USER}/row")
async def show_row(user_id: int) -> Response:
    """One user as the list has them, closed again."""
    return _show(UserRowFragment(present_user(await current_services().users.get(user_id))))


@blueprint.get(f"/users/{_USER}/edit")
@blueprint.get(f"/htmx/users/{_USER}/edit", endpoint="edit_part")
async def edit(user_id: int) -> Response:
    """The form that changes a user."""
    user = await current_services().users.get(user_id)
    return _show_form(user, UserForm.of(user))


@blueprint.route(f"/users/{_USER}", methods=["PUT", "POST"])
async def change_user(user_id: int) -> Response:
    """Change what the form names of a user; the rest stays."""
    user = await current_services().users.get(user_id)
    form = UserForm.of(user)
    if not form.validate_on_submit():
        return _show_form(user, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if not form.is_of(user):
        form.renew(user)
        return _show_form(user, form, HTTPStatus.CONFLICT)
    try:
        changed = await current_services().users.change(user_id, form.change)
    except NameTakenError as error:
        form.name.errors = [str(error)]
        return _show_form(user, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    _log("user_changed", changed)
    return _done(changed, "The changes are saved.")


@blueprint.post(f"/users/{_USER}/password")
async def reset_password(user_id: int) -> Response:
    """Give a user another password; they are signed out everywhere."""
    user = await current_services().users.get(user_id)
    form = ResetPasswordForm.of(user, is_blank=False)
    if form.validate_on_submit():
        try:
            await current_services().accounts.reset_password(user, text_of(form.new_password))
        except InvalidInputError as error:
            form.new_password.errors = [str(error)]
        else:
            _log("password_reset", user)
            return _done(user, f"The password is changed. {user.name} is signed out everywhere.")
    return _show_user(user, form, HTTPStatus.UNPROCESSABLE_ENTITY)


@blueprint.delete(f"/users/{_USER}")
@blueprint.post(f"/users/{_USER}/delete", endpoint="delete_user_by_form")
async def delete_user(user_id: int) -> Response:
    """Remove a user, with their sessions and tokens."""
    gone = await current_services().users.delete(user_id)
    _log("user_deleted", gone)
    notice = f"{gone.name} is deleted."
    if htmx.fragment:
        return _show(UserGoneFragment(notice, is_fragment=True), trigger="userDeleted")
    flash(notice)
    return go(url_for("users.list_users"))


async def _find() -> FoundUsers:
    return await current_services().users.search(request.args.get("q", ""), page=parse_page(request.args))


async def _create(form: NewUserForm) -> User | None:
    """Make the user, or say on the form why not."""
    try:
        user = await current_services().accounts.add(
            text_of(form.name), text_of(form.password), role=UserRole(form.role.data), email=form.email.data
        )
    except NameTakenError as error:
        form.name.errors = [str(error)]
        return None
    _log("user_created", user)
    return user


def _log(event: str, user: User) -> None:
    actor = current_services().policy.require_user(current_actor())
    log.info(event, user=user.id, role=user.role, is_active=user.is_active, by=actor.id)


def _done(user: User, notice: str) -> Response:
    if htmx.fragment:
        return _show(present_open_user(user, notice=notice, is_live=True), trigger="userUpdated")
    flash(notice)
    return go(url_for("users.show", user_id=user.id))


def _notice() -> str:
    return " ".join(map(str, get_flashed_messages()))


async def _show_list(form: NewUserForm, status: int = HTTPStatus.OK) -> Response:
    fragment = present_users(await _find(), is_fragment=False)
    return _show(present_users_page(fragment, form, notice=_notice()), status)


def _show_user(user: User, form: ResetPasswordForm | None = None, status: int = HTTPStatus.OK) -> Response:
    is_live = htmx.fragment
    part = present_open_user(user, password_form=form, notice="" if is_live else _notice(), is_live=is_live)
    return _show(part if is_live else UserPage(part.user, part.password_form, part.notice, is_live), status)


def _show_form(user: User, form: UserForm, status: int = HTTPStatus.OK) -> Response:
    part = present_user_form(user, form, is_live=htmx.fragment)
    if not part.is_live:
        return _show(UserFormPage(part.user, part.form, is_live=False), status)
    # A refusal that is a form takes the form's place.
    return _show(part, status, retarget=f"#{part.user.element_id}" if status == HTTPStatus.CONFLICT else None)


def _show(
    context: Context,
    status: int = HTTPStatus.OK,
    *,
    replace_url: str | None = None,
    trigger: str | None = None,
    retarget: str | None = None,
) -> Response:
    body = render(context)
    if htmx:
        answer = respond(body, status, replace_url=replace_url, trigger=trigger, retarget=retarget)
    else:
        answer = make_response(body, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
