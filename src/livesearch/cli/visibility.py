"""`livesearch visibility`: who may see which rows of a collection."""

import click
import orjson

from livesearch.cli.ranking import follow
from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    json_option,
    open_services,
    output,
    progress_bar,
    runs_async,
    store_option,
)
from livesearch.domain import UserRole, VisibilityRule, VisibleTo
from livesearch.errors import ConfigError
from livesearch.web.presenters.tuning import present_visibility


@click.command()
@click.argument("name")
@click.option("--public", is_flag=True, help="Everybody who may search sees every row; so it is at first.")
@click.option("--signed-in", is_flag=True, help="Whoever has signed in sees every row.")
@click.option(
    "--role", type=click.Choice([role.value for role in UserRole]), help="Whoever has at least this role does."
)
@click.option("--owner", metavar="FIELD", help="Each sees the rows that have their name in FIELD.")
@click.option("--groups", metavar="FIELD", help="Each sees the rows that list a group of theirs in FIELD.")
@store_option
@json_option
@runs_async
async def visibility(
    name: str,
    *,
    public: bool,
    signed_in: bool,
    role: str | None,
    owner: str | None,
    groups: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Show who may see which rows of the collection NAME, or change it with one of the options.

    Administrators see every row, and so does whoever is at this command line.
    """
    rules = [
        VisibilityRule() if public else None,
        VisibilityRule(VisibleTo.SIGNED_IN) if signed_in else None,
        VisibilityRule(VisibleTo.ROLE, UserRole(role)) if role else None,
        VisibilityRule(VisibleTo.OWNER, None, owner) if owner else None,
        VisibilityRule(VisibleTo.GROUPS, None, groups) if groups else None,
    ]
    chosen = [rule for rule in rules if rule is not None]
    if len(chosen) > 1:
        raise ConfigError("Give one of --public, --signed-in, --role, --owner and --groups.")
    async with open_services(command_settings(store), is_reader=True) as services:
        if chosen:
            with progress_bar() as bar:
                rule = await services.visibility.change(name, chosen[0], on_progress=follow(bar))
            console.print(f"{name} is shown so from the next search on.")
        else:
            rule = await services.visibility.get(name)
    if as_json:
        click.echo(orjson.dumps(present_visibility(rule)))
    else:
        output.print(harmless(_said(rule)))


def _said(rule: VisibilityRule) -> str:
    return {
        VisibleTo.PUBLIC: "Everybody who may search sees every row.",
        VisibleTo.SIGNED_IN: "Whoever has signed in sees every row.",
        VisibleTo.ROLE: f"Whoever has at least the role {rule.role} sees every row.",
        VisibleTo.OWNER: f"Each sees the rows that have their name in “{rule.field}”.",
        VisibleTo.GROUPS: f"Each sees the rows that list a group of theirs in “{rule.field}”.",
    }[rule.to]
