"""The comparison as a drawing."""

from collections.abc import Collection, Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

# Readable on white and on the dark pages of the documentation alike; ours stands out.
_OURS, _THEIRS, _INK = "#2563eb", "#9ca3af", "#6b7280"


def draw(values: Mapping[str, float], ours: Collection[str], path: Path) -> None:
    """Draw one bar a stack, the cheapest on top.

    Args:
        values: Microseconds of processor time, by stack.
        ours: Stacks of this project.
    """
    ordered = sorted(values.items(), key=lambda pair: -pair[1])
    # The same file from the same figures, and text that stays text.
    plt.rcParams.update({"svg.hashsalt": "livesearch", "svg.fonttype": "none", "font.size": 11})
    figure, axes = plt.subplots(figsize=(8.5, 0.38 * len(ordered) + 0.9))
    bars = axes.barh(
        [label for label, _ in ordered],
        [value for _, value in ordered],
        color=[_OURS if label in ours else _THEIRS for label, _ in ordered],
    )
    axes.bar_label(bars, labels=[f"{value:,.0f}" for _, value in ordered], padding=4, color=_INK)
    axes.set_xlabel("processor time for an answer, µs (less is better)", color=_INK)
    axes.tick_params(colors=_INK, length=0)
    axes.xaxis.set_visible(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_INK)
    axes.margins(x=0.12)
    figure.tight_layout()
    figure.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(figure)
