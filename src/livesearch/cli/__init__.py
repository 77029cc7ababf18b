"""The command line: `livesearch`. Exit codes: 0 ok, 1 failed, 2 wrong usage."""

import click

from livesearch import __version__
from livesearch.cli.collections import drop, list_collections, show
from livesearch.cli.database import database
from livesearch.cli.importing import import_source
from livesearch.cli.searching import search
from livesearch.cli.serving import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="livesearch")
def main() -> None:
    """A live-search site over the rows you already have.

    Start with:  livesearch serve games.csv
    """


for command in (serve, import_source, list_collections, show, drop, search, database):
    main.add_command(command)
