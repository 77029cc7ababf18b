"""Addresses of this site: where to sign in, where to come back to, and where a request comes from."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

from flask import Response, request, url_for

from livesearch.web.detection import htmx, respond

# What stands in a path as it is (RFC 3986, 3.3).
_PATH_CHARACTERS = "/:@!$&'()*+,;="
# Whoever has an IPv6 address has all those of its network.
_IPV6_PREFIX = 64


def is_api() -> bool:
    """Whether a program asks; the page about the API is for people."""
    return request.path.startswith("/api/") and request.path != "/api/docs"


def checked_next(text: str | None) -> str:
    r"""A path of this site to go to, such as ``/c/games?q=zelda``; the first page for anything else.

    Refused is whatever a browser could read as another site: ``//evil``, ``/\evil``, ``javascript:…``.
    """
    home = url_for("pages.home")
    if not text or not text.startswith("/") or text.startswith("//"):
        return home
    path = local_path(text)
    # Whoever has signed in has nothing to do there.
    pointless = {url_for("accounts.sign_in"), url_for("accounts.register"), url_for("accounts.set_up")}
    return home if path is None or path.partition("?")[0] in pointless else path


def local_path(url: str | None) -> str | None:
    """Path and query of a URL of this site; None for any other."""
    if not url or "\\" in url or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_here = parts.netloc == request.host if parts.netloc else not parts.scheme
    if not is_here or not parts.path.startswith("/") or parts.path.startswith("//"):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def ask_to_sign_in() -> Response:
    """Answer somebody who must sign in first: a page goes there, htmx is led there, a poll is left alone."""
    if htmx and request.headers.get("X-Poll") == "1":
        return Response(status=204)
    url = url_for("accounts.sign_in", next=checked_next(_shown_page()))
    answer = respond("", 401, redirect=url) if htmx else go(url)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown_page() -> str | None:
    """The page that the person sees, to come back to."""
    if htmx:
        return local_path(htmx.current_url)
    return this_address() if request.method in {"GET", "HEAD"} else local_path(request.referrer)


def this_address() -> str:
    """Path and query of the request, as the browser wrote them: Werkzeug's are decoded, and a key may hold a ``?``."""
    query = request.query_string.decode("latin-1")
    return quote(request.script_root + request.path, safe=_PATH_CHARACTERS) + (f"?{query}" if query else "")


def go(url: str) -> Response:
    """Lead whoever sent a form to a page, with htmx or without."""
    return respond("", 200, redirect=url) if htmx else Response(status=303, headers={"Location": url})


def client_address() -> str:
    """Where the request comes from, as attempts are counted."""
    text = request.remote_addr or ""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    return str(ip_network((address, _IPV6_PREFIX), strict=False)) if isinstance(address, IPv6Address) else text
