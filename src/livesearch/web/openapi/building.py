"""From the table of operations to an OpenAPI document."""

import re
from collections.abc import Callable

import livesearch
from livesearch.domain import Scope
from livesearch.web.openapi.operations import OPERATIONS, PARTS, Operation, Parameter
from livesearch.web.openapi.schemas import SCHEMAS, Schema, refer

_PART = re.compile(r"\{(\w+)\}")
_STATUSES = {200: "Done.", 201: "Created.", 204: "Done; there is nothing to say."}
_INTRODUCTION = (
    "Search and change collections. A token, made on the account page or by `livesearch token create`, is sent as"
    " `Authorization: Bearer lst_…`; cookies open nothing here. What fails is told as a problem (RFC 9457)."
)


def build_document(scope_of: Callable[[Operation], Scope], *, is_search_public: bool, root: str) -> Schema:
    """Write the OpenAPI document.

    Args:
        scope_of: Tells which scope a token needs for an operation.
        is_search_public: Whether searching needs no token.
        root: Path below which the site is; empty for none.
    """
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        scope = scope_of(operation)
        is_open = is_search_public and scope is Scope.SEARCH
        paths.setdefault(operation.path, {})[operation.method.lower()] = _write(operation, scope, is_open=is_open)
    return {
        "openapi": "3.1.0",
        "info": {"title": "livesearch", "version": livesearch.__version__, "description": _INTRODUCTION},
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def path_parameters(operation: Operation) -> tuple[Parameter, ...]:
    """The parts of an operation's address."""
    return tuple(PARTS[name] for name in _PART.findall(operation.path))


def _write(operation: Operation, scope: Scope, *, is_open: bool) -> Schema:
    written: Schema = {
        "operationId": operation.endpoint.replace(".", "_"),
        "summary": operation.summary,
        "description": "For everybody." if is_open else f"Needs a token of scope “{scope}”.",
        "security": [{}, {"token": []}] if is_open else [{"token": []}],
        "parameters": [_write_parameter(one) for one in (*path_parameters(operation), *operation.parameters)],
        "responses": {
            **{str(status): _write_answer(status, name) for status, name in operation.gives.items()},
            "default": {
                "description": "It failed.",
                "content": {"application/problem+json": {"schema": refer("Problem")}},
            },
        },
    }
    if operation.takes:
        written["requestBody"] = {"required": True, "content": _json(operation.takes)}
    return written


def _write_parameter(parameter: Parameter) -> Schema:
    written: Schema = {
        "name": parameter.name,
        "in": "path" if parameter.is_in_path else "query",
        "required": parameter.is_in_path,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    return written | ({"style": "form", "explode": True} if parameter.is_free_form else {})


def _write_answer(status: int, name: str | None) -> Schema:
    return {"description": _STATUSES[status]} | ({"content": _json(name)} if name else {})


def _json(name: str) -> Schema:
    return {"application/json": {"schema": refer(name)}}
