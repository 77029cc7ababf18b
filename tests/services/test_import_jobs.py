"""Imports in the background: sent, looked at, started, watched, cancelled, taken up again."""

import asyncio
import gzip
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from livesearch.domain import ImportJob, JobResult, JobState, JobTask, Role, SearchQuery
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError, SourceError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from livesearch.services.jobs import ImportJobService, JobFolder

ROWS: list[Mapping[str, object]] = [
    {"id": f"g{number}", "title": f"Racing number {number}", "maker": ["Sega", "Atari", "NEC"][number % 3]}
    for number in range(30)
]
PATIENCE = 60.0
UPLOAD_LIMIT = 100_000


class Site:
    """Jobs over a store and a folder, as one server has them."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services = services
        self.jobs = ImportJobService(services.transactions, JobFolder(folder), upload_limit=UPLOAD_LIMIT)

    async def send(
        self,
        content: bytes,
        filename: str = "games.jsonl",
        *,
        format: str = "jsonl",  # noqa: A002
    ) -> ImportJob:
        upload = self.jobs.folder.prepare() / "upload.part"
        await asyncio.to_thread(upload.write_bytes, content)
        job = await self.jobs.add(upload, filename, format=format, created_by="Ann")
        await asyncio.to_thread(upload.unlink)
        return job

    def running(self) -> AbstractAsyncContextManager[None]:
        return self.jobs.running()

    async def ended(self, job: ImportJob) -> ImportJob:
        async with asyncio.timeout(PATIENCE):
            while (found := await self.jobs.get(job.id)).is_live:  # noqa: ASYNC110  # another process tells
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
def site(services: Services, tmp_path: Path) -> Site:
    return Site(services, tmp_path / "uploads")


def lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


async def test_a_file_is_looked_at_started_and_then_found(site: Site) -> None:
    job = await site.send(lines(ROWS))
    planned = await site.jobs.revise(
        job.id, name="races", replace_all=False, key="id", wanted={"title": Role.TITLE, "maker": Role.HIDDEN}
    )
    async with site.running():
        started = await site.jobs.start(job.id, JobTask.IMPORT)
        done = await site.ended(job)

    assert (job.state, job.choices.name, job.created_by) == (JobState.DRAFT, "games", "Ann")
    assert planned.fault is None
    assert planned.inference
    assert [field.role for field in planned.inference.fields] == [Role.KEY, Role.TITLE, Role.HIDDEN]
    assert planned.job.choices.roles == {"maker": Role.HIDDEN}
    assert len(planned.documents) == 5
    assert started.is_live
    assert done.state is JobState.DONE
    assert done.result
    assert (done.result.accepted, done.result.rejected) == (30, 0)
    page = await site.services.search.search("races", SearchQuery("racing 7"))
    assert page.hits[0].key == "g7"
    assert page.facets == ()
    # The name that people see, not the one under which the file lay; and nothing is left of that.
    assert (await site.services.collections.get("races")).source == "games.jsonl"
    assert not site.jobs.folder.file(job.file).exists()


async def test_a_comparison_says_what_would_change_and_changes_nothing(site: Site, tmp_path: Path) -> None:
    before = tmp_path / "games.jsonl"
    before.write_bytes(lines(ROWS[:20]))
    await site.services.imports.run(str(before), ImportOptions(key="id"))
    changed = [*ROWS[5:19], {**ROWS[19], "title": "Renamed"}, *ROWS[20:], {"id": ""}]
    job = await site.send(lines(changed))
    await site.jobs.revise(job.id, name="games", replace_all=True, key="id", wanted={})
    async with site.running():
        await site.jobs.start(job.id, JobTask.COMPARE)
        compared = await site.ended(job)

    assert compared.state is JobState.DRAFT
    assert compared.difference
    found = compared.difference
    assert (found.accepted, found.updated, found.unchanged, found.removed, found.rejected) == (10, 1, 14, 5, 1)
    assert (await site.services.collections.get("games")).document_count == 20


async def test_choices_that_change_take_the_difference_back(site: Site) -> None:
    job = await site.send(lines(ROWS))
    await site.jobs.revise(job.id, name="games", replace_all=False, key="id", wanted={})
    async with site.running():
        await site.jobs.start(job.id, JobTask.COMPARE)
        await site.ended(job)
    same = await site.jobs.revise(job.id, name="games", replace_all=False, key="id", wanted={})
    other = await site.jobs.revise(job.id, name="other", replace_all=False, key="id", wanted={})

    assert same.job.difference
    assert same.job.difference.accepted == 30
    assert other.job.difference is None
    assert (await site.jobs.get(job.id)).difference is None


async def test_rejected_rows_are_kept_until_the_job_is_removed(site: Site) -> None:
    job = await site.send(b'{"id": "a", "title": "Good"}\n{"id": "b", oops\n', "my games.jsonl")
    async with site.running():
        await site.jobs.start(job.id, JobTask.IMPORT)
        done = await site.ended(job)
    path = site.jobs.rejects(done)
    assert path
    kept = json.loads(path.read_bytes())
    await site.jobs.remove(job.id)

    assert done.result
    assert (done.result.accepted, done.result.rejected) == (1, 1)
    assert (kept["line"], kept["row"]) == (2, '{"id": "b", oops')
    assert not path.exists()
    with pytest.raises(NotFoundError):
        await site.jobs.get(job.id)


async def test_a_job_that_waits_when_the_server_stops_runs_when_it_starts(site: Site, tmp_path: Path) -> None:
    job = await site.send(lines(ROWS))
    await site.jobs.start(job.id, JobTask.IMPORT)
    again = Site(site.services, tmp_path / "uploads")

    assert [found.id for found in await again.jobs.list_running()] == [job.id]
    async with again.running():
        done = await again.ended(job)
    assert done.result == JobResult(accepted=30, seconds=done.result.seconds if done.result else 0)
    assert await again.jobs.list_running() == ()


async def test_a_server_that_stops_ends_the_process_and_the_next_one_goes_on(site: Site) -> None:
    rows = b"id,title\n" + b"".join(b"%d,Racing %d\n" % (number, number) for number in range(5000))
    job = await site.send(rows, "games.csv", format="csv")
    async with site.running(), asyncio.timeout(PATIENCE):
        await site.jobs.start(job.id, JobTask.IMPORT)
        while (await site.jobs.get(job.id)).state is JobState.WAITING:  # noqa: ASYNC110  # another task tells
            await asyncio.sleep(0.01)
    stopped = await site.jobs.get(job.id)
    async with site.running():
        done = await site.ended(job)

    assert stopped.state is JobState.RUNNING
    assert done.state is JobState.DONE
    assert (await site.services.collections.get("games")).document_count == 5000


async def test_one_of_two_servers_runs_a_job_and_only_once(site: Site, tmp_path: Path) -> None:
    other = Site(site.services, tmp_path / "uploads")
    job = await site.send(lines(ROWS))
    async with site.running(), other.running():
        await site.jobs.start(job.id, JobTask.IMPORT)
        other.jobs._runner.wake()  # noqa: SLF001  # both look at the same time
        done = await site.ended(job)

    assert done.result
    assert (done.result.accepted, done.result.unchanged) == (30, 0)


async def test_jobs_run_only_where_their_file_lies(site: Site, tmp_path: Path) -> None:
    elsewhere = Site(site.services, tmp_path / "elsewhere")
    await elsewhere.send(lines(ROWS))
    job = await site.send(lines(ROWS))

    with pytest.raises(ConflictError, match="another machine"):
        await elsewhere.jobs.preview(await elsewhere.jobs.get(job.id))
    await site.jobs.start(job.id, JobTask.IMPORT)
    async with elsewhere.running():
        await elsewhere.jobs._runner._lead(0)  # noqa: SLF001  # a look that finds nothing
    assert (await site.jobs.get(job.id)).state is JobState.WAITING


async def test_cancelled_before_its_turn_a_job_does_nothing_and_can_be_started_again(site: Site) -> None:
    job = await site.send(lines(ROWS))
    await site.jobs.start(job.id, JobTask.IMPORT)
    cancelled = await site.jobs.cancel(job.id)
    with pytest.raises(ConflictError, match="started already"):
        await site.jobs.revise(job.id, name="x", replace_all=False, key=None, wanted={})
    async with site.running():
        await site.jobs.start(job.id, JobTask.IMPORT)
        with pytest.raises(ConflictError, match="started already"):
            await site.jobs.start(job.id, JobTask.IMPORT)
        done = await site.ended(job)

    assert cancelled.state is JobState.CANCELLED
    assert done.state is JobState.DONE


async def test_cancelled_as_its_turn_comes_a_job_does_nothing(site: Site) -> None:
    runner = site.jobs._runner  # noqa: SLF001
    job = await site.send(lines(ROWS))
    await site.jobs.start(job.id, JobTask.IMPORT)
    taken = await runner._next()  # noqa: SLF001
    assert taken

    cancelled = await site.jobs.cancel(job.id)
    with site.jobs.folder.locked() as lock:
        assert lock
        await runner._carry_out(taken, lock)  # noqa: SLF001

    assert cancelled.state is JobState.CANCELLED
    assert (await site.jobs.get(job.id)).state is JobState.CANCELLED
    assert not await site.services.collections.list_all()


async def test_faults_are_told_with_the_files_own_name(site: Site) -> None:
    bomb = await site.send(b"no gzip at all", "bomb.csv.gz", format="csv.gz")
    undecided = await site.send(lines([{"code": i, "number": i, "name": f"n{i % 3}"} for i in range(9)]), "codes.jsonl")
    looked_at = await site.jobs.preview(bomb)
    choice = await site.jobs.preview(undecided)

    assert looked_at.fault == "“bomb.csv.gz” is named as compressed (.gz) but does not hold gzip. Rename it."
    async with site.running():
        await site.jobs.start(bomb.id, JobTask.IMPORT)
        failed = await site.ended(bomb)
    assert (failed.state, failed.error) == (JobState.FAILED, looked_at.fault)
    assert choice.fault is not None
    assert choice.fault.startswith("More than one field could tell rows apart: ")
    assert choice.inference


async def test_what_a_bomb_unpacks_to_is_bounded(site: Site) -> None:
    packed = gzip.compress(b"id,name\n" + b"1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 60_000)
    job = await site.send(packed, "bomb.csv.gz", format="csv.gz")
    await site.jobs.revise(job.id, name="bomb", replace_all=False, key="id", wanted={})
    async with site.running():
        await site.jobs.start(job.id, JobTask.IMPORT)
        failed = await site.ended(job)

    assert len(packed) < UPLOAD_LIMIT
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error.startswith("“bomb.csv.gz” unpacks to more than 2 MB")


@pytest.mark.parametrize(
    ("sent", "shown", "collection"),
    [
        ("../../etc/passwd.csv", "passwd.csv", "passwd"),
        ("C:\\games\\Über.csv", "Über.csv", "uber"),
        ("<img src=x>\n\x00.csv", "<img src=x>.csv", "img-src-x"),
        ("\x1b[31m", "[31m", "31m"),
        ("", "rows", "rows"),
    ],
)
async def test_names_of_files_are_only_shown(site: Site, sent: str, shown: str, collection: str) -> None:
    job = await site.send(b"id\n1\n", sent, format="csv")

    assert (job.filename, job.choices.name) == (shown, collection)
    assert site.jobs.folder.file(job.file).parent == site.jobs.folder.path


async def test_empty_files_unknown_formats_and_names_are_refused(site: Site) -> None:
    with pytest.raises(SourceError, match="is empty"):
        await site.send(b"", "none.csv", format="csv")
    with pytest.raises(SourceError, match="There is no format"):
        await site.send(b"x", "none.exe", format="exe")
    job = await site.send(b"id\n1\n", "a.csv", format="csv")
    with pytest.raises(InvalidInputError, match="cannot be the name of a collection") as refused:
        await site.jobs.revise(job.id, name="Not/good", replace_all=False, key=None, wanted={})
    assert "--" not in str(refused.value)
