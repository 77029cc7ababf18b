"""Many kept connections searching the demo at once."""

from pathlib import Path

from tests.load.keep_alive import run_clients
from tests.load.server import running_server


async def test_64_clients_with_100_searches_each_see_no_error(tmp_path: Path) -> None:
    with running_server(tmp_path) as port:
        outcome = await run_clients(port, "/c/games", client_count=64, request_count=100)

    assert outcome.statuses == {200: 6400}
