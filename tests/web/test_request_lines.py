"""The log lines of requests are those that the logger would have written."""

import asyncio
import io
import json
import re

import pytest
import structlog

from livesearch.web.logs import configure_logging
from livesearch.web.request_lines import RequestLines

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("request_id", ["an-id%", None])
async def test_line_is_the_loggers(
    log_format: str, is_kept: bool, request_id: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging(log_format)  # type: ignore[arg-type]  # one of its literals
    written = io.StringIO()

    more = {"cache": "hit"} if is_kept else {}
    more |= {"request_id": request_id} if request_id else {}
    structlog.stdlib.get_logger("livesearch.request").info(
        "request", method="GET", route="/c/<name>", status=200, ms=0.1, **more
    )
    RequestLines(written).write("GET", 200, "/c/<name>", request_id, 0.0987, is_kept=is_kept)
    await asyncio.sleep(0)

    expected, line = MOMENT.sub("now", capfd.readouterr().err), MOMENT.sub("now", written.getvalue())
    if log_format == "json":
        assert json.loads(line) == json.loads(expected)
    else:
        assert line == expected
    assert "now" in line


class _Counted(io.StringIO):
    count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return super().write(text)


async def test_lines_of_one_turn_differ_in_id_and_time_and_are_written_together() -> None:
    written = _Counted()
    lines = RequestLines(written)

    for number in range(3):
        lines.write("GET", 200, "/", f"id-{number}", float(number))
    await asyncio.sleep(0)
    lines.write("GET", 200, "/", "id-3", 3.0)
    await asyncio.sleep(0)

    assert re.findall(r"id-\d", written.getvalue()) == ["id-0", "id-1", "id-2", "id-3"]
    assert (written.getvalue().count("\n"), written.count) == (4, 2)


def test_line_is_written_at_once_where_no_loop_runs() -> None:
    written = io.StringIO()

    RequestLines(written).write("GET", 200, "/", "an-id", 1.0)

    assert "an-id" in written.getvalue()


async def test_line_follows_the_format_that_is_configured_last() -> None:
    written = io.StringIO()
    lines = RequestLines(written)

    for log_format in ("text", "json"):
        configure_logging(log_format)
        lines.write("GET", 200, "/", "an-id", 1.0)
    await asyncio.sleep(0)

    text, as_json = written.getvalue().splitlines()
    assert "request_id=an-id" in text
    assert json.loads(as_json)["request_id"] == "an-id"
