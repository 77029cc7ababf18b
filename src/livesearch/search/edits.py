"""Whether strings are within a few edits of a word, told letter by letter from a table.

An edit inserts, removes or replaces a letter, or swaps two neighbours (optimal string alignment distance). What has to
be remembered of the letters read so far is which positions of the word they may have come to, with how many edits; and
that is no farther from their own number than there are edits. So there are few states (12 for one edit, 124 for two),
they are the same for every word, and what a letter does to them depends only on where the word has it near there.

Source: Wu and Manber 1992 (positions as bits, one row an edit); Schulz and Mihov 2002 (states that fit every word).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# What stands in ``EditTable.distances`` where a string is too far from the word.
FAR = 255


class _State(NamedTuple):
    """Positions of the word, as bits of a window that moves along with what is read; one entry an edit.

    Attributes:
        reached: Positions come to with so many edits or fewer.
        swapping: Positions whose next letter has been read already, and whose own must come now.
    """

    reached: tuple[int, ...]
    swapping: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EditTable:
    """What to do with strings, whatever the word.

    States are numbers; the first is 0. A window is ``width`` positions of the word, from ``budget`` before the number
    of letters read to ``budget`` after it; its bits say where in it the word has the letter that is read.

    Attributes:
        budget: Edits (count).
        steps: By state times 2 to the power of ``width`` plus the window's bits: the next state.
        distances: By state and by where the word's end is in the window: edits, or FAR.
        dead: The state from which nothing is reached any more.
    """

    budget: int
    steps: NDArray[np.uint8]
    distances: NDArray[np.uint8]
    dead: int

    @property
    def width(self) -> int:
        """Positions of a window (count)."""
        return 2 * self.budget + 1


@cache
def edit_table(budget: int) -> EditTable:
    """The table for one or two edits; made once, in some milliseconds."""
    width = 2 * budget + 1
    start = _State(
        tuple(sum(1 << position for position in range(budget, budget + edits + 1)) for edits in range(budget + 1)),
        (0,) * (budget + 1),
    )
    numbers, states = {start: 0}, [start]
    steps: list[int] = []
    for state in states:  # grows while it is walked
        for bits in range(1 << width):
            following = _advance(state, bits)
            if following not in numbers:
                numbers[following] = len(states)
                states.append(following)
            steps.append(numbers[following])
    distances = np.array([[_distance(state.reached, end) for end in range(width)] for state in states], np.uint8)
    dead = _State((0,) * (budget + 1), (0,) * (budget + 1))
    return EditTable(budget, np.array(steps, np.uint8), distances, numbers[dead])


def _advance(state: _State, bits: int) -> _State:
    """The state after one more letter.

    Args:
        bits: Positions of the window after which the word goes on with the letter that was read.
    """
    reached, swapping = [(state.reached[0] & bits) << 1], [0]
    for edits in range(1, len(state.reached)):
        fewer, fewer_now = state.reached[edits - 1], reached[edits - 1]
        matched = (state.reached[edits] & bits) << 1
        inserted, replaced, removed = fewer, fewer << 1, fewer_now << 1
        swapped = (state.swapping[edits] & bits) << 2
        reached.append(matched | inserted | replaced | removed | swapped)
        swapping.append(fewer & (bits >> 1))
    # The window moves on by one. Nothing is ever past its end: with so many edits one comes no farther.
    return _State(tuple(row >> 1 for row in reached), tuple(row >> 1 for row in swapping))


def _distance(reached: Sequence[int], position: int) -> int:
    return next((edits for edits, row in enumerate(reached) if row >> position & 1), FAR)
