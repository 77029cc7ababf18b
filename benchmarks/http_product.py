"""The product's own pages over its demo: with and without its cache of answers."""

import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.http_client import Question
from benchmarks.http_page import demo_rows
from benchmarks.http_servers import running
from benchmarks.http_stacks import Window, measure
from benchmarks.serving import free_port

# Titles typed letter by letter, and the letters typed of each at most.
_TITLE_COUNT, _LETTER_COUNT = 60, 14
_CACHES = {"no cache": "0", "cache": None}
_PAGES = {"fragment": "/c/games?", "suggestions": "/htmx/c/games/suggest?"}


def measure_product(round_count: int, seconds: float) -> Mapping[str, Mapping[int, Window]]:
    """Type titles of the demo letter by letter, all keystrokes in random order, and ask for each.

    Returns:
        By what was asked of which server, and by connections at once.
    """
    texts = _keystrokes()
    asked = {
        page: [Question.get(address + urlencode({"q": text}), f'data-query="{escape(text)}"') for text in texts]
        for page, address in _PAGES.items()
    }
    with ExitStack() as stack:
        servers, questions = {}, {}
        for label, size in _CACHES.items():
            folder, port = stack.enter_context(tempfile.TemporaryDirectory()), free_port()
            command = (
                sys.executable,
                "-m",
                "livesearch",
                "serve",
                f"--port={port}",
                f"--store={Path(folder, 'store.db')}",
            )
            environment = {} if size is None else {"LIVESEARCH_CACHE_MB": size}
            server = stack.enter_context(running(command, port, environment))
            for page in _PAGES:
                servers[f"{page}, {label}"], questions[f"{page}, {label}"] = server, asked[page]
        return measure(servers, questions, connection_counts=(1, 16, 64), round_count=round_count, seconds=seconds)


def _keystrokes() -> Sequence[str]:
    chance = random.Random(1)  # noqa: S311  # the same in each run
    titles = [row["title"].lower()[:_LETTER_COUNT] for row in chance.sample(demo_rows(), _TITLE_COUNT)]
    texts = [title[:length].strip() for title in titles for length in range(1, len(title) + 1)]
    chance.shuffle(texts)
    return texts
