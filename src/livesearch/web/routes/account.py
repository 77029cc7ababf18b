"""One's own account: password, API tokens, sessions, and its end."""

from http import HTTPStatus

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, request, url_for

from livesearch.domain import Scope, User
from livesearch.errors import ConflictError, InvalidInputError, UnauthorizedError
from livesearch.web.actors import current_actor, current_session
from livesearch.web.addresses import client_address, go
from livesearch.web.audience import Audience, declare
from livesearch.web.auth import begin_session, end_session
from livesearch.web.contexts.accounts import DeleteAccountFragment, PasswordFragment
from livesearch.web.detection import htmx
from livesearch.web.forms.accounts import ChangePasswordForm, DeleteAccountForm, TokenForm, text_of
from livesearch.web.presenters.accounts import present_account, present_sessions, present_tokens
from livesearch.web.registry import current_services
from livesearch.web.rendering import Context, render

blueprint = Blueprint("account", __name__, url_prefix="/account")
declare(blueprint, reading=Audience.SIGNED_IN, changing=Audience.SIGNED_IN)

_ID = "int(min=1, max=2147483647)"


@blueprint.get("")
async def show() -> Response:
    """The account of who has signed in."""
    return await _show_page()


@blueprint.post("")
async def change_password() -> Response:
    """Change the password: every other session ends, and this one goes on under a new secret."""
    form, user = ChangePasswordForm(), _user()
    secret = await _change_password(user, form) if form.validate_on_submit() else None
    if secret is not None:
        begin_session(secret)
        return _done("The password is changed. You are signed out everywhere else.")
    if htmx.fragment:
        return _show(PasswordFragment(form, user.name), HTTPStatus.UNPROCESSABLE_ENTITY)
    return await _show_page(password_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@blueprint.post("/tokens")
async def create_token() -> Response:
    """Make a token, and show its secret this once."""
    form = await _token_form()
    secret = await _create_token(form) if form.validate_on_submit() else ""
    status = HTTPStatus.OK if secret else HTTPStatus.UNPROCESSABLE_ENTITY
    form = await _token_form(is_blank=True) if secret else form
    if htmx.fragment:
        tokens = await current_services().tokens.list_of(_user())
        return _show(present_tokens(form, tokens, new_token=secret), status)
    return await _show_page(token_form=form, new_token=secret, status=status)


@blueprint.post(f"/tokens/<{_ID}:token_id>/revoke")
async def revoke_token(token_id: int) -> Response:
    """Take a token back."""
    await current_services().tokens.revoke_of(_user(), token_id)
    if htmx.fragment:
        tokens = await current_services().tokens.list_of(_user())
        return _show(present_tokens(await _token_form(is_blank=True), tokens, new_token=""))
    return _done("The token is revoked.")


@blueprint.post(f"/sessions/<{_ID}:session_id>/end")
async def end_one_session(session_id: int) -> Response:
    """Sign out somewhere else."""
    await current_services().sessions.end_of(_user(), session_id)
    if htmx.fragment:
        return _show(present_sessions(await current_services().sessions.list_of(_user()), current_session()))
    return _done("The session is ended.")


@blueprint.post("/delete")
async def delete_account() -> Response:
    """Delete the account with all that belongs to it."""
    form = DeleteAccountForm()
    if form.validate_on_submit():
        try:
            await current_services().accounts.delete_own(
                _user(), text_of(form.password_to_delete), address=client_address()
            )
        except (UnauthorizedError, ConflictError) as error:
            form.password_to_delete.errors = [str(error)]
        else:
            end_session()
            return go(url_for("pages.home"))
    if htmx.fragment:
        return _show(DeleteAccountFragment(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    return await _show_page(delete_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _user() -> User:
    return current_services().policy.require_user(current_actor())


async def _token_form(*, is_blank: bool = False) -> TokenForm:
    form = TokenForm(formdata=None) if is_blank else TokenForm()
    return form.offer(_user(), await current_services().collections.list_all(current_actor().viewer))


async def _change_password(user: User, form: ChangePasswordForm) -> str | None:
    """Change the password and give the secret of the new session, or say on the form why not."""
    try:
        return await current_services().accounts.change_password(
            user,
            text_of(form.current_password),
            text_of(form.new_password),
            address=client_address(),
            user_agent=request.user_agent.string,
        )
    except UnauthorizedError as error:
        form.current_password.errors = [str(error)]
    except InvalidInputError as error:
        form.new_password.errors = [str(error)]
    return None


async def _create_token(form: TokenForm) -> str:
    """Make a token and give its secret, or nothing and say on the form why not."""
    try:
        _, secret = await current_services().tokens.create(
            text_of(form.token_name),
            Scope(form.scope.data),
            collection=form.collection.data or None,
            days=int(form.days.data) if form.days.data else None,
            owner=_user(),
        )
    except (ConflictError, InvalidInputError) as error:
        form.token_name.errors = [str(error)]
        return ""
    return secret


def _done(notice: str) -> Response:
    flash(notice)
    return go(url_for("account.show"))


async def _show_page(
    *,
    password_form: ChangePasswordForm | None = None,
    token_form: TokenForm | None = None,
    delete_form: DeleteAccountForm | None = None,
    new_token: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    services, user = current_services(), _user()
    page = present_account(
        user,
        notice=" ".join(map(str, get_flashed_messages())),
        password_form=password_form or ChangePasswordForm(formdata=None),
        delete_form=delete_form or DeleteAccountForm(formdata=None),
        tokens=present_tokens(
            token_form or await _token_form(is_blank=True), await services.tokens.list_of(user), new_token=new_token
        ),
        sessions=present_sessions(await services.sessions.list_of(user), current_session()),
    )
    return _show(page, status)


def _show(context: Context, status: int = HTTPStatus.OK) -> Response:
    answer = make_response(render(context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
