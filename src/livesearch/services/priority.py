"""Giving way: work that nobody waits for takes the processor time that searches leave."""

import os
from contextlib import suppress

# The scheduler gives a tenth of a processor to who is so nice, when somebody who is not wants all of it.
_NICENESS = 10


def give_way() -> None:
    """Lower the priority of this process and of those it starts, for good: call it before there are other threads."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    if hasattr(os, "SCHED_BATCH"):  # it never takes a processor from who has just woken up
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
