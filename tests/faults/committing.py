"""A process that commits one write after another and says so after each, and the searcher that looks for it at once.

As a module it is that process: ``python -m tests.faults.committing STORE_URL FIRST COUNT``. Every fourth commit or so
is another program's, made through plain SQL.
"""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import SearchQuery
from livesearch.errors import DocumentNotFoundError
from livesearch.services import Services, build_services
from tests.services.foreign_program import ForeignProgram

# Commits that the process may be ahead of the searcher; what a commit changes was written longer ago than that.
WINDOW, AGE = 20, 40
# The name of the collection; it must be there, with `id`, `title` and `about`.
NAME = "games"


class Kind(Enum):
    """What a commit does."""

    PUT = "put"
    FOREIGN_INSERT = "insert"
    FOREIGN_UPDATE = "update"
    DELETE = "delete"


def planned(number: int, first: int) -> tuple[Kind, str]:
    """What a commit does, and to the document of which key; ``first`` is the number of the first commit of the run."""
    turn = number % 4
    if turn == 0 or number - first < 4 * AGE:
        return Kind.PUT, f"k{number}"
    if turn == 1:
        return Kind.PUT, f"k{number - 1 - AGE}"
    if turn == 2:
        return (
            (Kind.FOREIGN_INSERT, f"k{number}")
            if number % 8 == 2
            else (Kind.FOREIGN_UPDATE, f"k{number - 2 - 2 * AGE}")
        )
    return Kind.DELETE, f"k{number - 3 - 3 * AGE}"


def word(number: int) -> str:
    """What the document says after a commit, and none says otherwise."""
    return f"c{number:08}"


async def commit_all(store_url: str, first: int, count: int) -> None:
    """Commit, say so on standard output, and wait on standard input when too far ahead."""
    database = Database(Settings(store_url=store_url))
    documents, program = build_services(database.settings, database).documents, ForeignProgram(store_url)
    for number in range(first, first + count):
        if number - first >= WINDOW:
            sys.stdin.readline()
        kind, key = planned(number, first)
        document = {"title": word(number), "about": "One of many"}
        if kind is Kind.PUT:
            await documents.put(NAME, key, document)
        elif kind is Kind.DELETE:
            await documents.delete(NAME, key)
        elif kind is Kind.FOREIGN_INSERT:
            await program.insert(key, document)
        else:
            await program.update(key, document)
        print(number, flush=True)  # noqa: T201  # the pipe
    await database.close()


@dataclass(slots=True)
class Findings:
    """What a searcher found.

    Attributes:
        commits: Commits that were looked for.
        lost: Those whose next search did not find what they had written.
        seconds: What each search took.
    """

    commits: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def follow(services: Services, first: int, count: int, findings: Findings, *, kill_after: int) -> None:
    """Let a process commit, and look for each commit as soon as it is told of.

    Args:
        kill_after: Commits after which the process is killed, wherever it is then.
    """
    url = services.transactions.database.settings.store_url
    command = (sys.executable, "-m", "tests.faults.committing", url, str(first), str(count))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin  # asked for
    async for number in _told(process):
        started = time.perf_counter()
        is_found = await _is_found(services, number, first)
        findings.seconds.append(time.perf_counter() - started)
        findings.commits += 1
        if not is_found:
            findings.lost.append(f"{number}: {planned(number, first)}")
        if number - first + 1 == kill_after:
            process.send_signal(signal.SIGKILL)
            break
        if number - first + WINDOW < count:  # it waits that often, and may have ended after that
            process.stdin.write(b"\n")
            await process.stdin.drain()
    status = await process.wait()
    assert status == (-signal.SIGKILL if kill_after <= count else 0)  # or what it said is not the whole


async def _told(process: asyncio.subprocess.Process) -> AsyncIterator[int]:
    assert process.stdout  # asked for
    while line := await process.stdout.readline():
        yield int(line)


async def _is_found(services: Services, number: int, first: int) -> bool:
    """Whether the store now answers as the commit wants it to."""
    kind, key = planned(number, first)
    if kind is not Kind.DELETE:
        return await _keys(services, word(number)) == [key]
    try:
        await services.documents.get(NAME, key)
    except DocumentNotFoundError:
        made = int(key[1:])
        return not any([key in await _keys(services, word(made + age)) for age in (0, 1 + AGE, 2 + 2 * AGE)])
    return False


async def _keys(services: Services, text: str) -> list[str]:
    return [hit.key for hit in (await services.search.search(NAME, SearchQuery(text))).hits]


if __name__ == "__main__":
    asyncio.run(commit_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
