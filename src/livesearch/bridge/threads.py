"""The bridge with a thread for each request."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from asgiref.sync import AsyncToSync, sync_to_async
from asgiref.typing import ASGISendEvent

from livesearch.bridge import limits
from livesearch.bridge.application import LoopBridge
from livesearch.bridge.instance import LoopInstance


class ThreadInstance(LoopInstance):
    """One request, its WSGI side in a thread of ``ThreadBridge.pool``."""

    bridge: "ThreadBridge"

    async def run_wsgi_app(self, environ: dict[str, Any]) -> None:
        """Run the WSGI side in a thread. The last message is sent when that has returned."""
        self.held: list[ASGISendEvent] = []
        self.send_from_thread = AsyncToSync(self.deliver)
        await sync_to_async(self.drive, thread_sensitive=False, executor=self.bridge.pool)(environ)
        for message in self.held:
            await self.deliver(message)

    def sync_send(self, *messages: ASGISendEvent) -> None:  # type: ignore[override]  # as above
        """Hold back the start and the end, and a whole answer unless it is large; of others, wait for each chunk."""
        if self.is_gone:
            raise asyncio.CancelledError
        self.held += messages
        is_whole = self.response_content_length is not None and self.response_content_length <= limits.HELD_SIZE
        while messages[-1].get("more_body") and self.held and not is_whole:
            self.send_from_thread(self.held.pop(0))


class ThreadBridge(LoopBridge):
    """The bridge with a thread for each request.

    A client that hangs up while synchronous code runs is noticed at the next message only.
    """

    instance_class = ThreadInstance
    pool: ClassVar = ThreadPoolExecutor(32, thread_name_prefix="wsgi")
