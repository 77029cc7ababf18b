"""Signing in and out, and making an account."""

import structlog
from flask import Blueprint, Response, make_response, request, url_for

from livesearch.errors import ConflictError, UnauthorizedError
from livesearch.web.actors import current_session
from livesearch.web.addresses import checked_next, client_address, go, local_path
from livesearch.web.audience import Audience, declare, open_to
from livesearch.web.auth import begin_session, current_secret, end_session
from livesearch.web.contexts.accounts import (
    RegisterFragment,
    RegisterPage,
    SetupFragment,
    SetupPage,
    SignInFragment,
    SignInPage,
)
from livesearch.web.detection import htmx
from livesearch.web.forms.accounts import RegisterForm, SetupForm, SignInForm, text_of
from livesearch.web.registry import current_services
from livesearch.web.rendering import Context, render
from livesearch.web.visitor_shortlists import entries_of_visitor

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("livesearch.accounts")

blueprint = Blueprint("accounts", __name__)
declare(blueprint, reading=Audience.EVERYONE)


@blueprint.get("/login")
async def sign_in() -> Response:
    """The form; for who has signed in already, the page they wanted."""
    # The link in the header is the same on every page, so that pages can be kept: the page it was on tells itself.
    wanted = checked_next(request.args.get("next") or local_path(request.referrer))
    if current_session() is not None:
        return go(wanted)
    return _show_sign_in(SignInForm(data={"next": wanted}))


@blueprint.post("/login")
@open_to(Audience.EVERYONE)
async def send_sign_in() -> Response:
    """Sign in."""
    form = SignInForm()
    if form.validate_on_submit() and await _sign_in(form):
        return go(checked_next(form.next.data))
    return _show_sign_in(form, 422)


@blueprint.post("/logout")
@open_to(Audience.EVERYONE)
async def sign_out() -> Response:
    """Sign out: the session ends on the server, and the browser forgets the pages it kept."""
    secret = current_secret()
    if secret is not None:
        await current_services().sessions.end(secret)
    end_session()
    answer = go(url_for("pages.home"))
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.get("/register")
async def register() -> Response:
    """The form for a new account, where visitors may make one."""
    current_services().accounts.require_open_registration()
    return _show_register(RegisterForm(data={"next": checked_next(request.args.get("next"))}))


@blueprint.post("/register")
@open_to(Audience.EVERYONE)
async def send_registration() -> Response:
    """Make an account, and sign in with it."""
    accounts, form = current_services().accounts, RegisterForm()
    accounts.require_open_registration()
    if not form.validate_on_submit():
        return _show_register(form, 422)
    try:
        await accounts.register(
            text_of(form.name), text_of(form.password), email=form.email.data, address=client_address()
        )
    except ConflictError as error:
        form.name.errors = [str(error)]
        return _show_register(form, 422)
    await _sign_in(form)
    return go(checked_next(form.next.data))


@blueprint.get("/setup")
async def set_up() -> Response:
    """The form for the first administrator, behind the link that `livesearch serve` prints."""
    key = request.args.get("key", "")
    await current_services().accounts.require_setup(key)
    return _show(SetupPage(SetupForm(data={"key": key})))


@blueprint.post("/setup")
@open_to(Audience.EVERYONE)
async def send_setup() -> Response:
    """Make the first administrator, and sign in as them."""
    form = SetupForm()
    if not form.validate_on_submit():
        return _show(SetupFragment(form) if htmx.fragment else SetupPage(form), 422)
    await current_services().accounts.set_up(text_of(form.key), text_of(form.name), text_of(form.password))
    await _sign_in(form)
    return go(url_for("pages.home"))


async def _sign_in(form: SignInForm | RegisterForm | SetupForm) -> bool:
    """Begin a session, or say on the form why not."""
    try:
        secret = await current_services().accounts.sign_in(
            text_of(form.name),
            text_of(form.password),
            address=client_address(),
            user_agent=request.user_agent.string,
            replaces=current_secret(),
        )
    except UnauthorizedError as error:
        log.warning("sign_in_refused", address=client_address())
        form.password.errors = [str(error)]
        return False
    log.info("signed_in", address=client_address())
    await _bring_shortlist(secret)
    begin_session(secret)
    return True


async def _bring_shortlist(secret: str) -> None:
    """What the visitor kept in mind is the user's from now on."""
    brought = () if current_session() else entries_of_visitor()
    found = await current_services().sessions.find(secret) if brought else None
    if found is not None:
        await current_services().shortlists.merge(found.user, brought)


def _show_sign_in(form: SignInForm, status: int = 200) -> Response:
    is_open = current_services().accounts.is_registration_open
    register_url = url_for("accounts.register", next=form.next.data) if is_open else ""
    kind = SignInFragment if htmx.fragment else SignInPage
    return _show(kind(form, register_url), status)


def _show_register(form: RegisterForm, status: int = 200) -> Response:
    kind = RegisterFragment if htmx.fragment else RegisterPage
    return _show(kind(form, url_for("accounts.sign_in", next=form.next.data)), status)


def _show(context: Context, status: int = 200) -> Response:
    answer = make_response(render(context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
