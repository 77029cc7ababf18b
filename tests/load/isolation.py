"""A site that tells each request all it knows of who asks, and clients who mix fifty people on few connections."""

import asyncio
import contextvars
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import g, request, session

from livesearch.web.loop import LoopFlask

USER_COUNT = 50
LANGUAGES = ("de", "en", "fr", "ja")
_USER: contextvars.ContextVar[str] = contextvars.ContextVar("user")


def make_app() -> LoopFlask:
    """The site: ``/enter/<user>`` starts a session, ``/me`` tells who one is, as seen from everywhere."""
    app = LoopFlask("isolation")
    app.secret_key = "signs nothing that lasts"

    @app.before_request
    async def meet() -> None:
        g.inherited = _USER.get(None)  # of an earlier request, which must not happen
        _USER.set(request.headers.get("X-User", "nobody"))
        await asyncio.sleep(0)
        g.user, g.language = request.headers.get("X-User"), request.accept_languages.best
        g.request_id = request.headers.get("X-Request-ID")

    @app.get("/enter/<user>")
    async def enter(user: str) -> str:
        session["user"] = user
        return user

    @app.get("/me")
    async def me() -> dict[str, object]:
        await asyncio.sleep(random.random() * 0.003)  # noqa: S311  # moments, not secrets
        below = await asyncio.gather(*(asyncio.create_task(_look_later()) for _ in range(2)))
        apart = await asyncio.to_thread(_look)
        return {"inherited": g.inherited, "seen": [_look(), *below, apart]}

    @app.get("/me/blocking")
    def me_blocking() -> dict[str, object]:
        apart = app.run_blocking(_look)
        return {"inherited": g.inherited, "seen": [_look(), apart, app.async_to_sync(_look_later)()]}

    return app


async def _look_later() -> list[str]:
    await asyncio.sleep(random.random() * 0.002)  # noqa: S311  # as above
    return _look()


def _look() -> list[str]:
    """The one who asks, as session, ``g``, request and context variable have it; language and id of the request."""
    return [session["user"], g.user, request.headers["X-User"], _USER.get(), g.language, g.request_id]


# ---- Clients ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Mixed:
    """What was answered.

    Attributes:
        count: Answers.
        wrong: Those in which anything was another's, at most ten of them.
    """

    count: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    path: str
    user: str
    language: str
    request_id: str
    cookie: str

    def text(self) -> bytes:
        lines = (
            f"GET {self.path} HTTP/1.1", "Host: localhost", f"X-User: {self.user}", f"Cookie: {self.cookie}",
            f"Accept-Language: {self.language}", f"X-Request-ID: {self.request_id}",
        )  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def is_answered_by(self, body: bytes) -> bool:
        mine = [self.user] * 4 + [self.language, self.request_id]
        answer = json.loads(body)
        return answer["inherited"] is None and len(answer["seen"]) > 2 and all(seen == mine for seen in answer["seen"])


async def mix(port: int, *, connection_count: int, request_count: int, seed: int = 1) -> Mixed:
    """Send requests of fifty people, whose they are at random, one to five at a time on each kept connection."""
    chance, mixed = random.Random(seed), Mixed()  # noqa: S311  # an order, not secrets
    cookies = [await _enter(port, f"u{number}") for number in range(USER_COUNT)]

    def invent(number: int) -> _Asked:
        user = chance.randrange(USER_COUNT)
        path = "/me/blocking" if chance.random() < 0.2 else "/me"
        return _Asked(path, f"u{user}", chance.choice(LANGUAGES), f"r{number}", cookies[user])

    todo = iter([invent(number) for number in range(request_count)])
    await asyncio.gather(*(_ask_on(port, todo, chance, mixed) for _ in range(connection_count)))
    return mixed


async def _ask_on(port: int, todo: Iterator[_Asked], chance: random.Random, mixed: Mixed) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while batch := [asked for _, asked in zip(range(chance.randint(1, 5)), todo, strict=False)]:
        writer.write(b"".join(asked.text() for asked in batch))
        for asked in batch:  # answers come in the order of the questions
            body = (await _answer(reader))[1]
            mixed.count += 1
            if not asked.is_answered_by(body) and len(mixed.wrong) < 10:
                mixed.wrong.append(f"{asked} was answered {body[:500]!r}")
    writer.close()


async def _enter(port: int, user: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /enter/{user} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _ = await _answer(reader)
    writer.close()
    return next(line for line in head.split("\r\n") if line.lower().startswith("set-cookie:")).split()[1].rstrip(";")


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = int(head.lower().partition("content-length:")[2].partition("\r\n")[0])
    return head, await reader.readexactly(length)
