"""Static files under names that change with their content: cached for ever, checked by the browser, never built."""

import base64
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from flask import Flask, Response, abort, request
from markupsafe import Markup

from livesearch.web.audience import Audience, open_to

_ICONS = "icons/icons.svg"
STATIC_FOLDER = Path(__file__).parent.parent / "static"

# A year, the longest that caches honour; the digest in the URL changes when the file does.
_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = ("text/", "image/svg+xml", "application/json")


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, held in memory: all of them together are smaller than one page's images elsewhere.

    Attributes:
        digest: The first 12 hex digits of the SHA-256 of the content.
        integrity: The SHA-384 as browsers check it.
    """

    path: str
    content: bytes
    compressed: bytes | None
    media_type: str
    digest: str
    integrity: str


class Assets:
    """The static files, scanned once at start."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        self._by_path = {asset.path: asset for asset in (_read(path, folder) for path in found)}

    def init_app(self, app: Flask) -> None:
        """Serve the files and offer ``asset()``, ``sri()`` and ``icon()`` to templates."""
        app.add_url_rule("/static/<digest>/<path:path>", endpoint="static", view_func=self.serve, methods=["GET"])
        app.jinja_env.globals.update(asset=self.url, sri=self.integrity, icon=self.icon)

    def url(self, path: str) -> str:
        """The URL of a file; KeyError for one that does not exist, so a typing error fails the first test."""
        return f"{request.script_root}/static/{self._by_path[path].digest}/{path}"

    def icon(self, name: str) -> Markup:
        """A drawing from the sheet of icons. No macro: a page has fifty, each of which took 20 µs."""
        return _icon(request.script_root, self._sheet, name)

    @cached_property
    def _sheet(self) -> str:
        """Where the icons are, below the root."""
        return f"/static/{self._by_path[_ICONS].digest}/{_ICONS}"

    def integrity(self, path: str) -> str:
        """The value of an ``integrity`` attribute."""
        return self._by_path[path].integrity

    @open_to(Audience.EVERYONE)
    def serve(self, digest: str, path: str) -> Response:
        """Answer a file; 404 for another version than the present one, which must never be cached under this name."""
        asset = self._by_path.get(path)
        if asset is None or asset.digest != digest:
            abort(404)
        is_compressed = asset.compressed is not None and bool(request.accept_encodings["gzip"])
        response = Response(asset.compressed if is_compressed else asset.content, mimetype=asset.media_type)
        response.headers["Cache-Control"] = _FOREVER
        response.vary.add("Accept-Encoding")
        if is_compressed:
            response.headers["Content-Encoding"] = "gzip"
        return response


@lru_cache(maxsize=512)
def _icon(root: str, sheet: str, name: str) -> Markup:
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}{}#{}"></use></svg>').format(root, sheet, name)


def _read(path: Path, folder: Path) -> Asset:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        path=path.relative_to(folder).as_posix(),
        content=content,
        compressed=gzip.compress(content, mtime=0) if media_type.startswith(_COMPRESSIBLE) else None,
        media_type=media_type,
        digest=hashlib.sha256(content).hexdigest()[:12],
        integrity="sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode(),
    )
