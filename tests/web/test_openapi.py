"""The OpenAPI document is true: of the addresses there are, of who may ask, and of what is answered."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import Scope, VisibilityRule, VisibleTo
from livesearch.services.documents import Outcome
from livesearch.web.openapi.operations import OPERATIONS
from livesearch.web.openapi.schemas import SCHEMAS
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_rendered_markup import _audit

BASE = "/api/v1/collections"
ZELDA3 = {"id": "snes/zelda3", "title": "A Link to the Past", "platform": "SNES", "year": 1991, "publisher": "Nintendo"}
# Path, status and what is sent for each operation; what an earlier one made is there for a later one.
CALLS: list[tuple[str, str, int, object]] = [
    ("api.list_collections", BASE, 200, None),
    ("api.show_collection", f"{BASE}/games", 200, None),
    ("api.search", f"{BASE}/games/search?q=zelda&explain=1&page_size=2&f.platform=NES&min.year=1980", 200, None),
    ("api.search", f"{BASE}/games/search", 200, None),
    ("api.explain", f"{BASE}/games/explain/nes/zelda?q=zelda", 200, None),
    ("api.explain", f"{BASE}/games/explain/nes/zelda?q=mario", 200, None),
    ("api.list_documents", f"{BASE}/games/documents?page_size=2", 200, None),
    ("api.show_document", f"{BASE}/games/documents/nes/zelda", 200, None),
    ("api_documents.add_documents", f"{BASE}/games/documents", 201, ZELDA3),
    ("api_documents.add_documents", f"{BASE}/games/documents", 200, [ZELDA3]),
    ("api_documents.put_document", f"{BASE}/games/documents/new", 201, {**ZELDA3, "id": "new"}),
    ("api_documents.put_document", f"{BASE}/games/documents/new", 200, {**ZELDA3, "id": "new"}),
    ("api_documents.delete_document", f"{BASE}/games/documents/new", 204, None),
    ("api_tuning.add_synonym", f"{BASE}/games/synonyms", 201, {"words": "nes", "alternatives": ["famicom"]}),
    ("api_tuning.list_synonyms", f"{BASE}/games/synonyms", 200, None),
    ("api_tuning.remove_synonym", f"{BASE}/games/synonyms/1", 204, None),
    ("api_tuning.add_curation", f"{BASE}/games/curations", 201, {"query": "zelda", "document": "nes/zelda2"}),
    ("api_tuning.list_curations", f"{BASE}/games/curations", 200, None),
    ("api_tuning.remove_curation", f"{BASE}/games/curations/1", 204, None),
    ("api_tuning.show_ranking", f"{BASE}/games/ranking", 200, None),
    ("api_tuning.change_visibility", f"{BASE}/games/visibility", 200, {"to": "role", "role": "viewer"}),
    ("api_tuning.change_visibility", f"{BASE}/games/visibility", 200, {"to": "owner", "field": "publisher"}),
    ("api_tuning.change_visibility", f"{BASE}/games/visibility", 200, {"to": "public"}),
    ("api_tuning.show_visibility", f"{BASE}/games/visibility", 200, None),
    ("api_tuning.change_ranking", f"{BASE}/games/ranking", 200, {"popularity_weight": 0.5}),
]
TYPES = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "array": list, "object": dict}


def _faults(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:  # Any: JSON
    """Where a value is not what a schema says; of JSON Schema as much as the schemas use."""
    if "$ref" in schema:
        schema = dict(SCHEMAS[schema["$ref"].removeprefix("#/components/schemas/")])
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if kinds and not any(value is None if kind == "null" else _is_a(value, kind) for kind in kinds):
        yield f"{where}: {value!r} is no {kinds}"
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _faults(one, schema.get("items", {}), f"{where}[{number}]")
    if isinstance(value, dict):
        yield from (f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value)
        for name, one in value.items():
            rest = schema.get("additionalProperties", True)
            inner = schema.get("properties", {}).get(name, rest)
            if inner is False:
                yield f"{where}.{name} is not told of"
            yield from _faults(one, inner if isinstance(inner, dict) else {}, f"{where}.{name}")


def _is_a(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and isinstance(value, bool) is (kind == "boolean")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_store(tmp_path_factory.mktemp("openapi"), games=GAMES[:6])


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:  # Any: JSON
    return (await client.get("/api/openapi.json")).json()


def _operations(document: Any) -> Iterator[tuple[str, str, Any]]:  # Any: JSON
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


async def test_document_tells_of_every_address_and_of_no_other(app: LivesearchApp, document: Any) -> None:
    there = {
        (method, re.sub(r"<(?:[\w()=, ]+:)?(\w+)>", r"{\1}", rule.rule), rule.endpoint.replace(".", "_"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1")
    }

    told = {(method, path, operation["operationId"]) for method, path, operation in _operations(document)}

    assert told == there
    assert len(told) == len(OPERATIONS)


async def test_document_has_the_parts_that_openapi_wants(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert set(document["info"]) >= {"title", "version"}
    for _method, path, operation in _operations(document):
        in_path = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
        assert all("description" in answer for answer in operation["responses"].values())
        assert "application/problem+json" in operation["responses"]["default"]["content"]
    names = [operation["operationId"] for *_, operation in _operations(document)]
    assert len(set(names)) == len(names)


async def test_every_shape_that_is_pointed_to_is_there_and_used(client: httpx.AsyncClient) -> None:
    pointed = set(re.findall(r'"\$ref":"#/components/schemas/(\w+)"', (await client.get("/api/openapi.json")).text))

    assert pointed == set(SCHEMAS)


async def test_document_says_which_scope_is_needed(document: Any) -> None:
    needed = {
        operation["operationId"]: (operation["description"], operation["security"])
        for *_, operation in _operations(document)
    }

    assert needed["api_search"] == ("For everybody.", [{}, {"token": []}])
    assert needed["api_documents_put_document"] == ("Needs a token of scope “edit”.", [{"token": []}])
    assert needed["api_tuning_change_ranking"] == ("Needs a token of scope “admin”.", [{"token": []}])


async def test_closed_site_says_that_searching_needs_a_token(settings: Settings) -> None:
    async with serving(create_app(settings.model_copy(update={"public_search": False}))) as client:
        document = (await client.get("/api/openapi.json")).json()
        page = await client.get("/api/docs")

    assert document["paths"][f"{BASE}/{{name}}/search"]["get"]["security"] == [{"token": []}]
    assert "Token of scope “search”" in page.text


async def test_answers_are_of_the_shape_that_is_told(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    _, secret = await app.services.tokens.create("all", Scope.ADMIN)
    client.headers["Authorization"] = f"Bearer {secret}"
    operations = {operation.endpoint: operation for operation in OPERATIONS}
    faults: list[str] = []

    for endpoint, path, status, sent in CALLS:
        answer = await client.request(operations[endpoint].method, path, json=sent)
        assert (endpoint, answer.status_code) == (endpoint, status)
        name = operations[endpoint].gives[status]
        if name is None:
            assert answer.content == b""
        else:
            faults += _faults(answer.json(), {"$ref": f"#/components/schemas/{name}"}, endpoint)
        taken = operations[endpoint].takes
        if taken and isinstance(sent, dict):
            faults += _faults(sent, {"$ref": f"#/components/schemas/{taken}"}, f"{endpoint} takes")

    assert faults == []
    called = {(endpoint, status) for endpoint, _path, status, _sent in CALLS}
    assert called == {(operation.endpoint, status) for operation in OPERATIONS for status in operation.gives}


async def test_problems_are_of_the_shape_that_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/nonsense/search")

    assert list(_faults(answer.json(), {"$ref": "#/components/schemas/Problem"})) == []


def test_faults_are_seen() -> None:
    value = {"id": 1, "outcome": "lost", "more": True}

    assert list(_faults(value, {"$ref": "#/components/schemas/Written"})) == [
        ".version is missing",
        ".id: 1 is no ['string']",
        f".outcome: 'lost' is none of {list(Outcome)}",
        ".more is not told of",
    ]


async def test_documents_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    address, found = f"{BASE}/games/documents?page_size=2&f.publisher=Nintendo&sort=year", []
    first = (await client.get(address)).json()
    found += first["documents"]
    second = (
        await client.get(address, params={**dict(httpx.URL(address).params), "cursor": first["next_cursor"]})
    ).json()

    assert [one["id"] for one in found] == ["nes/zelda", "nes/zelda2"]
    assert first["total"] == 3
    assert [one["id"] for one in second["documents"]] == ["snes/zelda3"]
    assert second["next_cursor"] is None
    assert "secret" not in str(first)


async def test_list_of_documents_leaves_out_what_one_may_not_see(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await app.services.visibility.change("games", VisibilityRule(VisibleTo.OWNER, field="publisher"))
    answer = await client.get(f"{BASE}/games/documents")
    await app.services.visibility.change("games", VisibilityRule())

    assert (answer.json()["documents"], answer.json()["total"]) == ([], 0)


async def test_page_tells_the_same_in_plain_html(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")

    audit = _audit(page.text)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (audit.offences, audit.tags.count("h1")) == ([], 1)
    assert sorted(audit.ids) == sorted(set(audit.ids))
    assert audit.tags.count("pre") > len(OPERATIONS)
    for operation in OPERATIONS:
        assert f'<code class="api-path">{operation.path}</code>' in page.text
    assert "Token of scope “admin”" in page.text
    assert "http" not in re.sub(r'"http://www.w3.org[^"]*"', "", page.text)


async def test_page_is_for_people_and_the_document_for_programs(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs", headers=HTMX)
    document = await client.get("/api/openapi.json", headers=HTMX)
    missing, missing_page = await client.get("/api/nonsense"), await client.post("/api/docs")

    assert (page.status_code, document.status_code) == (200, 400)
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert missing_page.text.startswith("<!DOCTYPE html>")
