"""The API as people read it."""

from collections.abc import Callable, Mapping

import orjson

from livesearch.domain import Scope
from livesearch.web.contexts import ApiDocsPage, ApiOperation, ApiParameter, ApiShape
from livesearch.web.openapi.building import path_parameters
from livesearch.web.openapi.operations import OPERATIONS, Operation, Parameter
from livesearch.web.openapi.schemas import SCHEMAS, Schema

_PREFIX = "#/components/schemas/"
# What stands for a value of each type.
_SAMPLES: Mapping[str, object] = {"string": "…", "number": 0.0, "integer": 0, "boolean": True, "null": None}


def present_api_docs(scope_of: Callable[[Operation], Scope], *, is_search_public: bool) -> ApiDocsPage:
    """The page about the API.

    Args:
        scope_of: Tells which scope a token needs for an operation.
        is_search_public: Whether searching needs no token.
    """

    def present(operation: Operation) -> ApiOperation:
        scope = scope_of(operation)
        is_open = is_search_public and scope is Scope.SEARCH
        return ApiOperation(
            element_id=operation.endpoint.replace(".", "-"),
            method=operation.method,
            path=operation.path,
            summary=operation.summary,
            access="For everybody" if is_open else f"Token of scope “{scope}”",
            parameters=tuple(map(_present_parameter, (*path_parameters(operation), *operation.parameters))),
            body=_present_shape("Body", operation.takes) if operation.takes else None,
            answers=tuple(
                _present_shape(f"Answer {status}", name) if name else ApiShape(f"Answer {status}", "", "")
                for status, name in operation.gives.items()
            ),
        )

    return ApiDocsPage(operations=tuple(map(present, OPERATIONS)))


def _present_parameter(parameter: Parameter) -> ApiParameter:
    name = "f.…, min.…, max.…" if parameter.is_free_form else parameter.name
    default = parameter.schema.get("default")
    notes = ("required",) if parameter.is_in_path else (f"else {default}",) if default is not None else ()
    return ApiParameter(name=name, description=parameter.description, notes=notes)


def _present_shape(heading: str, name: str) -> ApiShape:
    schema = SCHEMAS[name]
    sample = orjson.dumps(_sample(schema), option=orjson.OPT_INDENT_2).decode()
    return ApiShape(heading, str(schema["description"]), sample)


def _sample(schema: Schema) -> object:
    """A value of a shape, to show what it looks like."""
    sample: object = {}
    match schema:
        case {"$ref": str(pointer)}:
            sample = _sample(SCHEMAS[pointer.removeprefix(_PREFIX)])
        case {"enum": [first, *_]}:
            sample = first
        case {"oneOf": [dict(first), *_]}:
            sample = _sample(first)
        case {"properties": dict(properties)}:
            sample = {name: _sample(value) for name, value in properties.items()}
        case {"items": dict(value)}:
            sample = [_sample(value)]
        case {"additionalProperties": dict(value)}:
            sample = {"…": _sample(value)}
        case {"type": [str(kind), *_]} | {"type": str(kind)}:
            sample = schema.get("minimum", _SAMPLES.get(kind, {}))
    return sample
