"""`make load`: searches from many kept connections against the demo, and what they took."""

import asyncio
import tempfile

from rich.console import Console
from rich.table import Table

from tests.load.keep_alive import run_clients
from tests.load.server import running_server


def main() -> None:
    """Run ever more clients and print a table."""
    table = Table("clients", "requests", "answered 200", "others", "requests/s", "p50 ms", "p95 ms", "p99 ms")
    with tempfile.TemporaryDirectory() as folder, running_server(folder) as port:
        for client_count in (1, 4, 16, 64):
            outcome = asyncio.run(
                run_clients(port, "/c/games", client_count=client_count, request_count=1600 // client_count)
            )
            good, count = outcome.statuses.get(200, 0), sum(outcome.statuses.values())
            table.add_row(
                *(str(number) for number in (client_count, count, good, count - good)),
                f"{count / outcome.wall_seconds:.0f}",
                *(f"{outcome.quantile(share):.0f}" for share in (0.5, 0.95, 0.99)),
            )
    console = Console()
    console.print(table)
    console.print("Loopback, one worker, the generator on the same cores: read ratios, not absolute figures.")


if __name__ == "__main__":
    main()
