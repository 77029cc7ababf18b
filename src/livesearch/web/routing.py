"""Routing, with what is the same for many requests worked out once."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter, Rule

# What of environ says where the application is; and how many such places are remembered, for anyone can make up hosts.
_PLACE = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
_PLACE_COUNT = 100
# Paths that are remembered, and characters of one: anyone can make up these, too.
_PATH_COUNT, _PATH_LENGTH = 1000, 100

_Match = tuple[Rule, Mapping[str, Any]]  # Any: what converters make


class RememberingAdapter(MapAdapter):
    """Werkzeug's; which route a path has is looked up once."""

    matches: dict[tuple[str, str], _Match]

    def match(self, *args: Any, **options: Any) -> Any:  # Any: its base has overloads
        """Werkzeug's."""
        if args or options != {"return_rule": True}:
            return super().match(*args, **options)
        key = (self.default_method, self.path_info)
        known = self.matches.get(key)
        if known is None:
            known = super().match(return_rule=True)
            if len(self.matches) < _PATH_COUNT and len(self.path_info) <= _PATH_LENGTH:
                self.matches[key] = known
        rule, values = known
        return rule, dict(values)


class RoutedFlask(Flask):
    """A Flask application whose routes are the same on every host."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's; what follows from scheme, host and root is worked out once."""
        if request is None and self.config["SERVER_NAME"] is None:
            return None
        if request is None or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        environ = request.environ
        place = tuple(map(environ.get, _PLACE))
        known = self.places.get(place)
        if known is None:
            adapter = super().create_url_adapter(request)
            if adapter is not None and len(self.places) < _PLACE_COUNT:
                self.places[place] = (request.trusted_hosts, request.host, adapter)
            return adapter
        request.trusted_hosts, request.host, model = known
        adapter = RememberingAdapter(
            model.map,
            model.server_name,
            model.script_name,
            model.subdomain,
            model.url_scheme,
            _decoded(environ.get("PATH_INFO", "/")),
            environ["REQUEST_METHOD"],
            _decoded(environ.get("QUERY_STRING", "")),
        )
        adapter.matches = self.matches
        return adapter

    @cached_property
    def places(self) -> dict[tuple[Any, ...], tuple[Any, str, MapAdapter]]:  # Any: of environ, and as Werkzeug has it
        """By ``_PLACE``: trusted hosts, host, and an adapter bound there."""
        return {}

    @cached_property
    def matches(self) -> dict[tuple[str, str], _Match]:
        """By method and path."""
        return {}


def _decoded(text: str) -> str:
    """A text of environ (PEP 3333), as Werkzeug reads it."""
    return text if text.isascii() else text.encode("latin-1").decode(errors="replace")
