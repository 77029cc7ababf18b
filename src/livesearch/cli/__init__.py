"""The command line: `livesearch`. Exit codes: 0 ok, 1 failed, 2 wrong usage."""

from importlib import import_module

import click

from livesearch import __version__

# Each command's module is imported when it is run: the engine and the server take a second that `--help` need not.
_COMMANDS = {
    "serve": ("serving", "serve", "Import what is new, then serve the site."),
    "import": ("importing", "import_source", "Import a file or table into a collection."),
    "collections": ("collections", "list_collections", "List the collections."),
    "show": ("collections", "show", "Show a collection's fields, roles, counts and sizes."),
    "drop": ("collections", "drop", "Remove a collection with its documents and index."),
    "search": ("searching", "search", "Search a collection."),
    "evaluate": ("evaluating", "evaluate", "Measure relevance with judged queries."),
    "synonyms": ("synonyms", "synonyms", "List, add, remove or import synonyms."),
    "pin": ("curations", "pin", "Pin a document to a place in a query's results."),
    "hide": ("curations", "hide", "Leave a document out of a query's results."),
    "unpin": ("curations", "unpin", "Undo pin or hide."),
    "curations": ("curations", "curations", "List what is pinned and hidden."),
    "rank": ("ranking", "rank", "Show or change how a collection ranks."),
    "visibility": ("visibility", "visibility", "Show or change who may see which rows of a collection."),
    "token": ("tokens", "tokens", "Make, list and revoke API tokens."),
    "user": ("users", "users", "Make, list and change accounts."),
    "digest": ("digests", "digest", "Write to users about what is new in their saved searches."),
    "backup": ("backups", "backup", "Copy the whole store into a file, while it is in use."),
    "restore": ("backups", "restore", "Make the store what a backup is."),
    "doctor": ("doctor", "doctor", "Say what is configured, reachable, slow or unsafe."),
    "db": ("database", "database", "Upgrade or check the store."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in the order of a first visit."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command = getattr(import_module(f"livesearch.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101  # the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="livesearch")
def main() -> None:
    """A live-search site over the rows you already have.

    Start with:  livesearch serve games.csv
    """
