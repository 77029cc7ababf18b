"""Users as administrators see them."""

from dataclasses import fields
from urllib.parse import urlencode

from flask import url_for

from livesearch.domain import User, UserPage
from livesearch.web.actors import current_session
from livesearch.web.contexts import PageLink, Pagination
from livesearch.web.contexts.users import (
    ShownUser,
    UserFormFragment,
    UserFragment,
    UsersFragment,
    UsersPage,
)
from livesearch.web.forms.users import NewUserForm, ResetPasswordForm, UserForm
from livesearch.web.presenters.accounts import format_day
from livesearch.web.presenters.formats import format_count, shorten
from livesearch.web.presenters.results import SITE_NAME


def present_user(user: User) -> ShownUser:
    """One user."""
    session = current_session()
    since = f"since {format_day(user.created_at)}"
    return ShownUser(
        element_id=f"user-{user.id}",
        name=user.name,
        initial=user.name[0].upper(),
        facts=tuple(filter(None, (user.role.capitalize(), user.email, ", ".join(user.groups)))),
        history=(since, *([f"changed {format_day(user.changed_at)}"] if user.changed_at != user.created_at else [])),
        is_active=user.is_active,
        is_self=session is not None and session.user.id == user.id,
        url=url_for("users.show", user_id=user.id),
        part_url=url_for("users.show_part", user_id=user.id),
    )


def present_open_user(
    user: User, *, password_form: ResetPasswordForm | None = None, notice: str = "", is_live: bool
) -> UserFragment:
    """One user with all that can be done to them."""
    return UserFragment(present_user(user), password_form or ResetPasswordForm.of(user), notice, is_live)


def present_user_form(user: User, form: UserForm, *, is_live: bool) -> UserFormFragment:
    """The form that changes a user."""
    return UserFormFragment(present_user(user), form, is_live)


def users_address(text: str, page: int = 1) -> str:
    """The one address of a search of users."""
    pairs = [*([("q", text)] if text else []), *([("page", str(page))] if page > 1 else [])]
    return url_for("users.list_users") + (f"?{urlencode(pairs)}" if pairs else "")


def present_users(found: UserPage, *, is_fragment: bool) -> UsersFragment:
    """The users that a text finds."""
    noun = "user" if found.total == 1 else "users"
    status = f"{format_count(found.total)} {noun}"
    address = users_address(found.text, found.page)
    return UsersFragment(
        title=f"{shorten(found.text)} · Users · {SITE_NAME}" if found.text else f"Users · {SITE_NAME}",
        text=found.text,
        status=f"{status} for “{shorten(found.text)}”" if found.text else status,
        users=tuple(map(present_user, found.users)),
        pagination=_present_pagination(found) if found.page_count > 1 else None,
        refresh_url=url_for("users.search_users") + address.removeprefix(url_for("users.list_users")),
        is_fragment=is_fragment,
    )


def present_users_page(fragment: UsersFragment, form: NewUserForm, *, notice: str) -> UsersPage:
    """The page around the users."""
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return UsersPage(
        **shared,
        search_url=url_for("users.list_users"),
        placeholder="Search users",
        suggest_url="",
        form=form,
        notice=notice,
    )


def _present_pagination(found: UserPage) -> Pagination:
    current, last = found.page, found.page_count

    def url(number: int) -> str:
        return users_address(found.text, number) if 1 <= number <= last else ""

    here = PageLink(f"{format_count(current)} of {format_count(last)}", "", is_current=True)
    return Pagination(previous_url=url(current - 1), next_url=url(current + 1), pages=(here,))
