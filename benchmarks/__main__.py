"""`make bench`: run a benchmark by name; `make bench ARGS="imports FILE"`."""

import click

from benchmarks.aborts import aborts
from benchmarks.browser_import import browser_import
from benchmarks.bursts import bursts
from benchmarks.cache import cache
from benchmarks.commits import commits
from benchmarks.during_import import during_import
from benchmarks.edits import edits
from benchmarks.http import http
from benchmarks.imports import imports
from benchmarks.keystrokes import keystrokes
from benchmarks.known_items import known_items
from benchmarks.news import news
from benchmarks.polls import polls
from benchmarks.profile_request import profile
from benchmarks.relevance import relevance
from benchmarks.scale import scale
from benchmarks.typos import typos


@click.group()
def main() -> None:
    """Compare livesearch with named peers. Read ratios: the machine is never alone."""


main.add_command(aborts)
main.add_command(browser_import)
main.add_command(cache)
main.add_command(bursts)
main.add_command(commits)
main.add_command(during_import)
main.add_command(edits)
main.add_command(http)
main.add_command(imports)
main.add_command(keystrokes)
main.add_command(known_items)
main.add_command(news)
main.add_command(polls)
main.add_command(profile)
main.add_command(relevance)
main.add_command(scale)
main.add_command(typos)

if __name__ == "__main__":
    main()
