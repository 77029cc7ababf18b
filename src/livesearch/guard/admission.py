"""Admission: a bounded number of requests at work and waiting; any further one hears at once that there is no room.

One process answers so many searches a second. When more come, a queue without end makes every answer late and none
useful: most are given up by then, and each that is asked for again adds to the queue. So there is room for a burst,
such as many connections in use at once. When that is full, the load is more than a burst: those who wait longest are
sent away, and until a second has passed without a refusal only few may wait: what is answered is answered soon.
"""

import asyncio
from contextlib import suppress

from livesearch.errors import OverloadedError

# Requests at work: as many as there are connections to the store. More would only share the processor.
WORKING = 8
# Requests that may wait: in a burst, while the first of them waits too long already, and while there is too much to do.
WAITING = 240
WAITING_LONG = 64
WAITING_OVERLOADED = 4
# Seconds after which a wait is too long, and without a refusal after which an overload is past.
LONG_SECONDS = 0.5
CALM_SECONDS = 1.0
# Seconds to wait at most. Only requests that stay at work for long make others wait so.
PATIENCE_SECONDS = 5.0
# Refusals take time, too: clients that come back at once would leave none for work. More of them than this a second
# are spaced out, up to so many seconds.
REFUSALS_PER_SECOND = 1000
MAX_SPACING_SECONDS = 1.0


class Admission:
    """Turns to work, in the order of coming. Use it on one event loop.

    Attributes:
        refused_count: Requests sent away so far.
    """

    def __init__(self, *, working: int = WORKING) -> None:
        self._free = working
        # Who waits, first come first, and since when. The result: whether it is their turn; otherwise there is none.
        self._queue: dict[asyncio.Future[bool], float] = {}
        self._overloaded_until = self._next_refusal = 0.0
        self.refused_count = 0

    async def enter(self) -> None:
        """Wait for a turn, which ``leave`` ends.

        Raises:
            OverloadedError: There is no room to wait, or the turn did not come in time.
        """
        if self._free and not self._queue:
            self._free -= 1
        elif not (self._has_room() and await self._wait()):
            self.refused_count += 1
            await self._space_out()
            raise OverloadedError

    def leave(self) -> None:
        """End a turn; who has waited longest is next."""
        if not self._tell_first(is_turn=True):
            self._free += 1

    def _tell_first(self, *, is_turn: bool) -> bool:
        """Tell who has waited longest whether to go on; False when nobody waits."""
        while self._queue:
            turn = next(iter(self._queue))
            del self._queue[turn]
            if not turn.done():  # Otherwise its client has just left.
                turn.set_result(is_turn)
                return True
        return False

    def _has_room(self) -> bool:
        """Whether one more may wait; when a burst's room is full, make some."""
        now = asyncio.get_running_loop().time()
        if is_overloaded := now < self._overloaded_until:
            room = WAITING_OVERLOADED
        else:
            room = WAITING_LONG if now - next(iter(self._queue.values()), now) > LONG_SECONDS else WAITING
        if len(self._queue) < room:
            return True
        self._overloaded_until = now + CALM_SECONDS
        if is_overloaded:
            return False
        while len(self._queue) >= WAITING_OVERLOADED:
            self._tell_first(is_turn=False)
        return True

    async def _wait(self) -> bool:
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue[turn] = asyncio.get_running_loop().time()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await turn
        except asyncio.CancelledError:
            self._give_up(turn)
            raise
        self._give_up(turn)
        return False

    def _give_up(self, turn: "asyncio.Future[bool]") -> None:
        came = self._queue.pop(turn, None) is None and not turn.cancelled() and turn.result()
        if came:  # In the same moment: pass it on.
            self.leave()

    async def _space_out(self) -> None:
        now = asyncio.get_running_loop().time()
        due = max(now, self._next_refusal)
        self._next_refusal = min(due + 1 / REFUSALS_PER_SECOND, now + MAX_SPACING_SECONDS)
        await asyncio.sleep(due - now)
