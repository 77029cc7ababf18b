"""Who may search."""

from flask import Flask, abort, request

# What visitors may always ask for: the operator's probes, and the files that an error page needs.
_OPEN_TO_ALL = frozenset({"health", None})


def init_app(app: Flask, *, public_search: bool) -> None:
    """Close an application's pages, fragments and API to visitors, unless search is public."""
    if not public_search:
        app.before_request(_refuse_visitors)


def _refuse_visitors() -> None:
    if request.blueprint not in _OPEN_TO_ALL:
        abort(403, "This site is closed to visitors (its setting LIVESEARCH_PUBLIC_SEARCH is false).")
