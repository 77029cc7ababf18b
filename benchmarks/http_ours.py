"""The page by ours: the bridge and Flask as the product wires them, from its cache, and with its every hook."""

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response as FlaskResponse
from flask import request
from jinja2 import StrictUndefined
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.http_client import ask_in_process
from benchmarks.http_page import KEY, LOADER, NAME, PATH, Titles, find_at_once, our_engine, stock_engine, store_path
from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.guard.whole import send_computed, send_whole
from livesearch.services.change_tokens import ChangeToken, SqliteTokens
from livesearch.services.reading import Reading
from livesearch.services.transactions import Transactions
from livesearch.web import cookies, csrf, detection, headers
from livesearch.web.caching import SCOPE_KEY, ResponseCache
from livesearch.web.greenlets import spawn
from livesearch.web.loop import LoopFlask
from livesearch.web.rendering import TemplateEnvironment, render
from livesearch.web.request_lines import RequestLines


@dataclass(frozen=True, slots=True)
class TitlesFragment:
    """What the template needs, as the product's templates get it."""

    template: ClassVar[str] = NAME

    query: str
    rows: Titles


def _ours(app: LoopFlask, engine: AsyncEngine) -> Any:
    app.jinja_loader = LOADER

    @app.get(PATH)
    async def titles() -> FlaskResponse:
        query = request.args["q"]
        return detection.respond(render(TitlesFragment(query, await spawn(find_at_once, engine, query))))

    return LoopBridge(app)


class _OurFlask(LoopFlask):
    jinja_environment = TemplateEnvironment


def _our_flask() -> LoopFlask:
    app = _OurFlask(__name__, static_folder=None)
    app.config["SECRET_KEY"] = KEY
    app.jinja_env.undefined = StrictUndefined
    cookies.init_app(app)
    headers.init_app(app)
    detection.init_app(app)
    csrf.init_app(app)
    return app


def ours() -> Any:
    """Our bridge, with Flask's extensions as the product wires them, on SQLAlchemy and aiosqlite as they come."""
    return _ours(_our_flask(), stock_engine())


def ours_our_driver() -> Any:
    """Our bridge on our driver."""
    return _ours(_our_flask(), our_engine())


def _settings() -> Settings:
    return Settings(store_url=f"sqlite+aiosqlite:///{store_path()}", secret_key=KEY)


def ours_whole() -> Any:
    """The product's application with all its hooks (a log line for each request among them), on our driver."""
    return _ours(create_app(_settings()), our_engine())


class _StoreTokens(SqliteTokens):
    """Watches the store for commits, as the product does before each kept answer; the collection is made up."""

    async def _load(self) -> dict[str, ChangeToken]:
        return {"titles": ChangeToken(1, 1, is_settled=True)}


def ours_cached() -> Any:
    """The product's cache in front of that; it is told by hand that the answers may be kept."""
    application, lines = ours_our_driver(), RequestLines()
    tokens = _StoreTokens(Transactions(Database(_settings())))

    def note(method: str, status: int, labels: tuple[str, str], request_id: str, milliseconds: float) -> None:
        lines.write(method, status, labels[0], request_id, milliseconds, is_kept=True)

    cache = ResponseCache(tokens, limit=64_000_000, private_cookies=[b"livesearch"], note=note)
    cache.shortcut, cache.new_shortcut = send_whole, send_computed

    async def compute(scope: Any, receive: Any, _send: Any) -> None:
        recording = scope[SCOPE_KEY]
        recording.reading = Reading({"titles": (1, 1)})
        recording.labels = (PATH, "fragment")
        await application(scope, receive, recording.take)

    async def serve(scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI
        await (cache(scope, receive, send, compute) if scope["type"] == "http" else receive())

    return serve


def same_bytes() -> Any:
    """No framework, and no work: the very heads and bodies that ours answers, out of a dict."""
    application = ours_our_driver()
    answers: dict[bytes, Any] = {}

    async def serve(scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI
        if scope["type"] != "http":
            await receive()
            return
        query = scope["query_string"]
        if query not in answers:
            answers[query] = await ask_in_process(application, query)
        for message in answers[query]:
            await send(message)

    return serve
