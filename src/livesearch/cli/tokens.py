"""`livesearch token`: API tokens."""

from collections.abc import Callable
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
from livesearch.domain import Scope, Token


@click.group("token")
def tokens() -> None:
    """Make, list and revoke the tokens that programs send to the API."""


@tokens.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    required=True,
    help="search: read; edit: change documents too; admin: change synonyms, pins and ranking too.",
)
@click.option("--collection", metavar="NAME", help="Only this collection; by default all.")
@click.option("--expires", "days", type=click.IntRange(1, 3650), metavar="DAYS", help="Ends after so many days.")
@store_option
@json_option
@runs_async
async def create(
    name: str, *, scope: str, collection: str | None, days: int | None, store: str | None, as_json: bool
) -> None:
    """Make a token called NAME, and print it: it is not stored, and not shown again."""
    async with open_services(command_settings(store)) as services:
        token, secret = await services.tokens.create(name, Scope(scope), collection=collection, days=days)
    if as_json:
        click.echo(orjson.dumps({**_json(token, is_valid=True), "token": secret}))
        return
    console.print(f"Keep this token, it is not shown again. Send it as “Authorization: Bearer {secret[:4]}…”:")
    click.echo(secret)


@tokens.command("list")
@store_option
@json_option
@runs_async
async def list_tokens(*, store: str | None, as_json: bool) -> None:
    """List the tokens, those that have ended too; never their secrets."""
    async with open_services(command_settings(store), is_reader=True) as services:
        found = await services.tokens.list_all()
        is_valid = services.tokens.is_valid
    if as_json:
        click.echo(orjson.dumps([_json(token, is_valid=is_valid(token)) for token in found]))
        return
    if not found:
        console.print("There is no token. Make one:  livesearch token create NAME --scope search")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Id", justify="right")
    for heading in ("Name", "Owner", "Scope", "Collection", "Made", "State"):
        table.add_column(heading, overflow="fold")
    for token in found:
        collection = token.collection or "all"
        table.add_row(
            str(token.id),
            harmless(token.name),
            harmless(token.owner.name) if token.owner else "—",
            token.scope,
            collection,
            _day(token.created_at),
            _state(token, is_valid),
        )
    output.print(table)


@tokens.command()
@click.argument("token", metavar="NAME|ID")
@store_option
@runs_async
async def revoke(token: str, *, store: str | None) -> None:
    """Take a token back: it opens nothing from now on."""
    async with open_services(command_settings(store), is_reader=True) as services:
        gone = await services.tokens.revoke(token)
    console.print(f"Token {gone.id}, {harmless(gone.name)}, is revoked.")


def _json(token: Token, *, is_valid: bool) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner.name if token.owner else None,
        "scope": token.scope,
        "collection": token.collection,
        "created_at": _time(token.created_at),
        "expires_at": _time(token.expires_at),
        "revoked_at": _time(token.revoked_at),
        "is_valid": is_valid,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _state(token: Token, is_valid: Callable[[Token], bool]) -> str:
    if token.revoked_at is not None:
        return f"revoked {_day(token.revoked_at)}"
    if token.expires_at is None:
        return "valid"
    return f"{'valid until' if is_valid(token) else 'ended'} {_day(token.expires_at)}"
