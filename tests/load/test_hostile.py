"""Hostile clients against the real server, in small; `python -m tests.load.hostile` runs them in full."""

import json
from collections.abc import Iterator

import pytest

from tests.load.hostile import allow_connections, huge_upload, searching, slow_connections
from tests.load.hostile_server import Served, served

DEADLINE = 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    rows = ({"id": number, "title": f"Zelda {number}"} for number in range(500))
    (folder / "games.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    with served(folder, "games.jsonl", deadline=DEADLINE) as server:
        yield server


async def test_slow_connections_are_closed_while_others_search(server: Served) -> None:
    allow_connections(2000)
    async with searching(server.port, server.resident_mb) as watch:
        seconds = await slow_connections(server.port, 200, limit=10)

    assert max(seconds) < DEADLINE + 3
    assert min(seconds) > DEADLINE - 0.5
    assert set(watch.statuses) == {200}
    assert watch.slowest < 1
    assert watch.resident_mb < 200


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_huge_upload_is_refused_at_once(server: Served, is_chunked: bool) -> None:
    read_before = server.read_mb()
    uploads = [await huge_upload(server.port, 300, is_chunked=is_chunked) for _ in range(3)]

    assert {upload.status for upload in uploads} == {413}
    assert min(upload.seconds for upload in uploads) < 0.05
    assert server.read_mb() - read_before < 3 * 10
    assert server.resident_mb() < 200
