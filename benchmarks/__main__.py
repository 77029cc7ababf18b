"""`make bench`: run a benchmark by name; `make bench ARGS="imports FILE"`."""

import click

from benchmarks.imports import imports
from benchmarks.keystrokes import keystrokes


@click.group()
def main() -> None:
    """Compare livesearch with named peers. Read ratios: the machine is never alone."""


main.add_command(imports)
main.add_command(keystrokes)

if __name__ == "__main__":
    main()
