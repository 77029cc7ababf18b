"""`livesearch user`: accounts."""

import sys
from datetime import UTC, datetime

import click
import orjson
from rich.table import Table

from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    json_option,
    open_services,
    output,
    runs_async,
    store_option,
)
from livesearch.domain import User, UserRole
from livesearch.errors import InvalidInputError

_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input; otherwise it is asked for."
)


@click.group("user")
def users() -> None:
    """Make, list and change the accounts of people."""


@users.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in UserRole]),
    default=UserRole.VIEWER.value,
    show_default=True,
    help="viewer: search; editor: change documents too; admin: run the site too.",
)
@click.option("--email", metavar="ADDRESS", help="Where to reach them; optional.")
@_password_option
@store_option
@runs_async
async def add(name: str, *, role: str, email: str | None, password_stdin: bool, store: str | None) -> None:
    """Make an account for NAME."""
    password = _read_password(from_stdin=password_stdin)
    async with open_services(command_settings(store)) as services:
        added = await services.accounts.add(name, password, role=UserRole(role), email=email)
    console.print(f"{harmless(added.name)} can sign in, as {added.role}.")


@users.command("list")
@store_option
@json_option
@runs_async
async def list_users(*, store: str | None, as_json: bool) -> None:
    """List the accounts."""
    async with open_services(command_settings(store), is_reader=True) as services:
        found = await services.accounts.list_all()
    if as_json:
        click.echo(orjson.dumps([_json(user) for user in found]))
        return
    if not found:
        console.print("There is no account. Make one:  livesearch user add NAME --role admin")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in ("Name", "Role", "Groups", "E-mail", "Made", "State"):
        table.add_column(heading, overflow="fold")
    for user in found:
        state = "active" if user.is_active else "disabled"
        groups_text, email = harmless(", ".join(user.groups) or "—"), harmless(user.email or "—")
        table.add_row(harmless(user.name), user.role, groups_text, email, _time(user.created_at)[:10], state)
    output.print(table)


@users.command()
@click.argument("name")
@_password_option
@store_option
@runs_async
async def passwd(name: str, *, password_stdin: bool, store: str | None) -> None:
    """Give NAME another password; every session of theirs ends."""
    password = _read_password(from_stdin=password_stdin)
    async with open_services(command_settings(store), is_reader=True) as services:
        changed = await services.accounts.set_password(name, password)
    console.print(f"{harmless(changed.name)} has a new password, and is signed out everywhere.")


@users.command()
@click.argument("name")
@click.argument("wanted", nargs=-1, metavar="[GROUP]...")
@store_option
@runs_async
async def groups(name: str, *, wanted: tuple[str, ...], store: str | None) -> None:
    """Put NAME into these groups and out of all others; rows can be for groups, see `livesearch visibility`."""
    async with open_services(command_settings(store), is_reader=True) as services:
        changed = await services.accounts.set_groups(name, wanted)
    console.print(f"{harmless(changed.name)} is in {harmless(', '.join(changed.groups)) or 'no group'}.")


@users.command()
@click.argument("name")
@store_option
@runs_async
async def disable(name: str, *, store: str | None) -> None:
    """Let NAME sign in no more: their sessions end, and their tokens open nothing."""
    async with open_services(command_settings(store), is_reader=True) as services:
        changed = await services.accounts.set_active(name, is_active=False)
    console.print(f"{harmless(changed.name)} cannot sign in any more.")


@users.command()
@click.argument("name")
@store_option
@runs_async
async def enable(name: str, *, store: str | None) -> None:
    """Let NAME sign in again."""
    async with open_services(command_settings(store), is_reader=True) as services:
        changed = await services.accounts.set_active(name, is_active=True)
    console.print(f"{harmless(changed.name)} can sign in again.")


@users.command()
@click.argument("name")
@store_option
@runs_async
async def delete(name: str, *, store: str | None) -> None:
    """Remove the account of NAME, with its sessions and tokens."""
    async with open_services(command_settings(store), is_reader=True) as services:
        gone = await services.accounts.delete(name)
    console.print(f"The account of {harmless(gone.name)} is gone.")


def _read_password(*, from_stdin: bool) -> str:
    """Ask for a password, or read the first line of standard input.

    Raises:
        InvalidInputError: There is nobody to ask.
    """
    if from_stdin:
        # One line end belongs to `echo`, not to the password.
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise InvalidInputError("There is nobody to ask for the password. Send it with --password-stdin.")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def _json(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "email": user.email,
        "is_active": user.is_active,
        "groups": user.groups,
        "created_at": _time(user.created_at),
        "changed_at": _time(user.changed_at),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
