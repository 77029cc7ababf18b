"""Metrics: what is counted, and who may read it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from tests.web.conftest import HTMX

TOKEN = "a token of sixteen signs"
Labels = dict[str, str]


@asynccontextmanager
async def measured(
    settings: Settings, address: str = "127.0.0.1", **changes: object
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update=changes))
    bridge = LoopBridge(app, cache=app.response_cache, metrics=app.metrics)
    async with app.lifespan():
        transport = httpx.ASGITransport(bridge, client=(address, 1234))  # type: ignore[arg-type]  # narrower scopes
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def samples(client: httpx.AsyncClient, name: str) -> list[tuple[Labels, float]]:
    """What is told of one metric, but for the requests that ask for it."""
    text = (await client.get("/metrics")).text
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels.get("route") != "/metrics"
    ]


async def test_requests_are_counted_by_route_face_method_and_status(games: Settings) -> None:
    async with measured(games) as client:
        await client.get("/c/games?q=zelda")
        await client.get("/c/games?q=zelda")
        await client.get("/c/games?q=zelda", headers=HTMX)
        await client.get("/api/v1/collections/nothing")
        await client.request("INVENTED", "/c/games")

        counted = await samples(client, "livesearch_requests_total")

    assert sorted((*labels.values(), count) for labels, count in counted) == sorted(
        [
            ("page", "GET", "/c/<name>", "200", 2.0),
            ("fragment", "GET", "/c/<name>", "200", 1.0),
            ("api", "GET", "/api/v1/collections/<name>", "404", 1.0),
            ("page", "other", "unknown", "405", 1.0),
        ]
    )


async def test_only_computed_answers_are_timed(games: Settings) -> None:
    async with measured(games) as client:
        for _ in range(3):
            await client.get("/c/games?q=zelda")

        timed = await samples(client, "livesearch_request_seconds_count")
        searched = await samples(client, "livesearch_search_seconds_count")

    assert timed == [({"route": "/c/<name>", "face": "page"}, 1.0)]
    assert searched == [({"route": "/c/<name>"}, 1.0)]


async def test_cache_tells_what_it_did(games: Settings) -> None:
    async with measured(games) as client:
        for _ in range(3):
            await client.get("/c/games?q=zelda")

        answers = {
            labels["answer"]: count for labels, count in await samples(client, "livesearch_cache_requests_total")
        }
        size = await samples(client, "livesearch_cache_bytes")

    assert (answers["hit"], answers["miss"], answers["wait"]) == (2.0, 1.0, 0.0)
    assert size[0][1] > 800  # one entry, packed against itself: what there is of it beside its bytes


async def test_requests_in_progress_are_those_of_now(games: Settings) -> None:
    async with measured(games) as client:
        await client.get("/c/games")

        active = await samples(client, "livesearch_requests_in_progress")

    assert active == [({}, 1.0)]  # the one that asks


@pytest.mark.parametrize(
    ("address", "token", "headers", "status"),
    [
        ("127.0.0.1", None, {}, 200),
        ("::1", None, {}, 200),
        ("192.0.2.1", None, {}, 403),
        ("127.0.0.1", None, {"X-Forwarded-For": "192.0.2.1"}, 403),
        ("127.0.0.1", TOKEN, {}, 403),
        ("192.0.2.1", TOKEN, {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("192.0.2.1", TOKEN, {"Authorization": "Bearer another token"}, 403),
    ],
)
async def test_metrics_are_for_operators(
    games: Settings, address: str, token: str | None, headers: dict[str, str], status: int
) -> None:
    async with measured(games, address, metrics_token=token) as client:
        response = await client.get("/metrics", headers=headers)

    assert response.status_code == status
    assert ("livesearch_requests" in response.text) == (status == 200)


def test_workers_that_share_a_folder_answer_for_each_other(tmp_path: object) -> None:
    script = (
        "import sys; from livesearch.web.metrics import Metrics\n"
        "metrics = Metrics(); metrics.note_hit('GET', 200, ('/c/<name>', 'page')); metrics.publish()\n"
        "sys.stdout.buffer.write(metrics.render())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    runs = [
        subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=60)  # noqa: S603  # our own
        for _ in range(2)
    ]

    assert b'method="GET",route="/c/<name>",status="200"} 2.0' in runs[1].stdout
