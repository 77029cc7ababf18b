"""What every benchmark prints with."""

import sys
from collections.abc import Sequence

from rich.console import Console

# A file or a pipe has no width: tables of figures are not to be broken there.
console = Console(highlight=False, markup=False, soft_wrap=False, width=None if sys.stdout.isatty() else 180)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that such a share of the values does not pass (nearest rank); NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")
