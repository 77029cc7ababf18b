"""Security headers, on every answer: pages, fragments, errors and static files."""

from flask import Flask, Response

# htmx parses answers with parseHTMLUnsafe, which Trusted Types refuses without the policy ``htmx`` that kit.js makes.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Never no-referrer: Flask-WTF checks the Referer of unsafe requests over HTTPS.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
# A committed change is found on the next keystroke: a copy may be kept, but asks first. Back still uses it.
DEFAULTS = (*SECURITY_HEADERS.items(), ("Cache-Control", "no-cache"))
_BY_NAME = tuple((pair[0].lower(), pair) for pair in DEFAULTS)


def init_app(app: Flask) -> None:
    """Send the headers with every answer of an application."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    # One pass over the headers, where `setdefault` makes one for each; and past `extend`, which looks for line ends in
    # values that are known here. That is 30 µs of every answer.
    present = {name.lower() for name, _ in response.headers}
    headers: list[tuple[str, str]] = response.headers._list  # noqa: SLF001
    headers += [pair for name, pair in _BY_NAME if name not in present]
    return response
