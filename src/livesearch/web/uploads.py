"""Uploads: who may send large bodies is asked before they are read, and they are taken apart beside the event loop.

A body lies in a file by then, in the folder of import jobs. Its parts become files there, too: a whole upload is never
in memory, and never in a temporary folder that is memory.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from asgiref.typing import HTTPScope
from flask import Flask, Request, request
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie

from livesearch.domain import Scope
from livesearch.errors import LivesearchError, SourceError
from livesearch.ingest import format_of_name, format_of_text
from livesearch.services import Services
from livesearch.services.policy import Actor
from livesearch.web import cookies
from livesearch.web.auth import secret_of
from livesearch.web.current import current_request
from livesearch.web.forms.imports import UploadForm
from livesearch.web.loop import LoopFlask
from livesearch.web.registry import current_services

# Where uploads go; the bridge lets no other address have large bodies.
PATH = "/imports"
# Bytes of pasted rows, and of all that is typed with them. More is sent as a file.
PASTE_SIZE = 5_000_000
# Bodies up to this size (bytes) are taken apart at once.
_SMALL_SIZE = 100_000
# Bytes looked at to tell a format; and how archives and spreadsheets, compressed or not, begin.
_HEAD_SIZE = 4096
_BINARY_SIGNS = (b"PK", b"\x1f\x8b", b"%PDF")


class UploadRequest(Request):
    """A request whose uploaded files are written to the folder of import jobs."""

    upload_folder: Path | None = None

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.upload_folder is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        return cast("IO[bytes]", _named_file(self.upload_folder))


class Uploads:
    """Who may upload, and where to."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app
        self._services = services

    def init_app(self) -> None:
        """Take uploads apart before anything looks into them. Call it before CSRF protection."""
        self._app.request_class = UploadRequest
        self._app.before_request(self._take_apart)

    def folder(self) -> Path:
        """The folder of import jobs."""
        return self._services.import_jobs.folder.prepare()

    async def may_send(self, scope: HTTPScope) -> bool:
        """Whether the sender is signed in and may import."""
        secret = self._secret(scope)
        if secret is None:
            return False
        try:
            found = await self._services.sessions.find(secret)
        except LivesearchError:  # the store does not answer: the application will say so
            return False
        return found is not None and self._services.policy.permits(Actor(user=found.user), Scope.EDIT)

    def _secret(self, scope: HTTPScope) -> str | None:
        serializer = cookies.serializer_of(self._app)
        lines = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        found = parse_cookie(lines)
        for name in cookies.ALL_NAMES:
            try:
                return secret_of(serializer.loads(found[name], max_age=cookies.longest_seconds(self._app)))
            except (KeyError, BadSignature):
                continue
        return None

    def _take_apart(self) -> None:
        if request.method != "POST" or request.path.rstrip("/") != PATH:
            return
        sent = cast("UploadRequest", current_request())
        sent.max_form_memory_size = PASTE_SIZE
        sent.upload_folder = self.folder()
        if (request.content_length or _SMALL_SIZE + 1) > _SMALL_SIZE:
            # What it gives is kept: whoever asks for the form later finds it there.
            cast("LoopFlask", self._app).run_blocking(lambda: sent.form)


@dataclass(frozen=True, slots=True)
class SentRows:
    """Rows that were sent, in a file of the folder of import jobs.

    Attributes:
        filename: What the sender calls it.
        format: As the sender says, or as name or content tell.
    """

    path: Path
    filename: str
    format: str


@contextmanager
def sent_rows(form: UploadForm) -> Iterator[SentRows]:
    """The file or the pasted rows of the request, for as long as the block lasts.

    Raises:
        SourceError: Nothing was sent, or no format can be told.
    """
    sent = next((file for file in request.files.values() if file.filename), None)
    text = form.rows.data or ""
    if sent is not None:
        path = Path(sent.stream.name)
        sent.stream.flush()
        yield SentRows(path, sent.filename or "", form.format.data or _told_format(sent.filename or "", path))
    elif text.strip():
        with _named_file(current_services().import_jobs.folder.prepare()) as file:
            file.write(text.encode())
            file.flush()
            yield SentRows(Path(file.name), "Pasted rows", form.format.data or format_of_text(text))
    else:
        raise SourceError("Choose a file, or paste some rows.")


def _told_format(filename: str, path: Path) -> str:
    told = format_of_name(filename)
    if told is not None:
        return told
    with path.open("rb") as file:
        head = file.read(_HEAD_SIZE)
    if b"\0" in head or head.startswith(_BINARY_SIGNS):
        raise SourceError(
            f"“{filename[-80:]}” is no file of rows. Save it as CSV, TSV, JSON or JSON lines, also compressed by gzip."
        )
    return format_of_text(head.decode(errors="replace"))


def _named_file(folder: Path) -> "tempfile._TemporaryFileWrapper[bytes]":
    # Under a name, so that it can be linked to another; closed, it is gone.
    return tempfile.NamedTemporaryFile(dir=folder, suffix=".part")
