"""The page by other frameworks, and by none, each used as its documentation shows.

Each function makes an application for a server that ``http_servers`` starts in a process of its own; the store is read
from the environment, so that they take no arguments.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from asgiref.wsgi import WsgiToAsgi
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from flask import Flask, render_template, request
from flask_htmx import HTMX
from flask_wtf.csrf import CSRFProtect
from jinja2 import Environment, StrictUndefined
from quart import Quart
from quart import render_template as render_quart
from quart import request as quart_request
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from benchmarks.http_page import (
    KEY,
    LOADER,
    NAME,
    PATH,
    STATEMENT,
    SYNC_THREADS,
    Titles,
    find,
    find_at_once,
    our_engine,
    stock_engine,
    store_path,
)
from livesearch.web.greenlets import spawn

# ---- No framework ----------------------------------------------------------------------------------------------------


def _html(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:  # Any: ASGI messages
    sent = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    return {"type": "http.response.start", "status": 200, "headers": sent}, {"type": "http.response.body", "body": body}


def _bare(answer: Callable[[str], Any]) -> Any:  # Any: an ASGI application, from an async function
    async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            await receive()
            return
        for message in _html(await answer(scope["query_string"].removeprefix(b"q=").decode())):
            await send(message)  # type: ignore[arg-type]  # complete but for keys that have defaults

    return application


def hello() -> Any:
    """Answer at once: what server and client can do."""

    async def answer(query: str) -> bytes:
        return f'<section data-query="{query}"></section>'.encode()

    return _bare(answer)


def _floor(engine: AsyncEngine) -> Any:
    template = Environment(loader=LOADER, autoescape=True, undefined=StrictUndefined).get_template(NAME)

    async def answer(query: str) -> bytes:
        return template.render(query=query, rows=await find(engine, query)).encode()

    return _bare(answer)


def floor() -> Any:
    """The query and the template, and nothing else."""
    return _floor(stock_engine())


def floor_our_driver() -> Any:
    """The same on our driver."""
    return _floor(our_engine())


# ---- Frameworks on ASGI ----------------------------------------------------------------------------------------------


def _starlette(engine: AsyncEngine, find: Callable[[AsyncEngine, str], Awaitable[Titles]] = find) -> Starlette:
    templates = Jinja2Templates(env=Environment(loader=LOADER, autoescape=True))

    async def titles(request: Request) -> Response:
        query = request.query_params["q"]
        return templates.TemplateResponse(request, NAME, {"query": query, "rows": await find(engine, query)})

    return Starlette(routes=[Route(PATH, titles)])


def starlette() -> Starlette:
    """Starlette with SQLAlchemy and aiosqlite as they come."""
    return _starlette(stock_engine())


def starlette_our_driver() -> Starlette:
    """Starlette on our driver."""
    return _starlette(our_engine())


def starlette_one_greenlet() -> Starlette:
    """Starlette on our driver, asking it as ours does."""

    async def find_in_one(engine: AsyncEngine, query: str) -> Titles:
        return await spawn(find_at_once, engine, query)

    return _starlette(our_engine(), find_in_one)


def fastapi() -> FastAPI:
    """FastAPI with SQLAlchemy and aiosqlite as they come."""
    app, engine = FastAPI(), stock_engine()
    templates = Jinja2Templates(env=Environment(loader=LOADER, autoescape=True))

    @app.get(PATH, response_class=HTMLResponse)
    async def titles(request: Request, q: str) -> Response:
        return templates.TemplateResponse(request, NAME, {"query": q, "rows": await find(engine, q)})

    return app


def quart() -> Quart:
    """Quart with SQLAlchemy and aiosqlite as they come."""
    app, engine = Quart(__name__), stock_engine()
    app.jinja_loader = LOADER

    @app.get(PATH)
    async def titles() -> str:
        query = quart_request.args["q"]
        return await render_quart(NAME, query=query, rows=await find(engine, query))

    return app


# ---- Flask -----------------------------------------------------------------------------------------------------------


def _flask() -> Flask:
    """Flask with what an htmx site loads: Flask-HTMX and CSRF protection."""
    app = Flask(__name__, static_folder=None)
    app.config["SECRET_KEY"] = KEY
    app.jinja_loader = LOADER
    HTMX(app)
    CSRFProtect(app)
    return app


def flask_sync() -> Flask:
    """Flask with synchronous views and the standard library's SQLite driver, for gunicorn."""
    app = _flask()
    engine = create_engine(f"sqlite:///{store_path()}", pool_size=SYNC_THREADS, max_overflow=0)

    @app.get(PATH)
    def titles() -> str:
        query = request.args["q"]
        with engine.connect() as connection:
            rows = connection.execute(STATEMENT, {"pattern": f'"{query}"*'}).fetchall()
        return render_template(NAME, query=query, rows=rows)

    return app


def flask_plain_bridge() -> Any:
    """Flask with asynchronous views behind asgiref's bridge as it comes."""
    app, engine = _flask(), stock_engine()

    @app.get(PATH)
    async def titles() -> str:
        query = request.args["q"]
        return render_template(NAME, query=query, rows=await find(engine, query))

    return WsgiToAsgi(app)  # type: ignore[no-untyped-call]  # asgiref has no types there
