"""The entry for an ASGI server: ``uvicorn asgi:app --http livesearch.guard.protocol:GuardedProtocol``."""

from livesearch.bridge import create_asgi

app = create_asgi()
