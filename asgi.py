"""The entry for an ASGI server: ``uvicorn asgi:app``."""

from livesearch.bridge import create_asgi

app = create_asgi()
