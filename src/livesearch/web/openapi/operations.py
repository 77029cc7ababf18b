"""The table of all that programs may ask. A test holds it to the map of addresses: a new address adds its line."""

from dataclasses import dataclass

from livesearch.web.openapi.schemas import Schema


@dataclass(frozen=True, slots=True)
class Parameter:
    """What stands in an address, or behind its question mark."""

    name: str
    description: str
    schema: Schema
    is_in_path: bool = False
    # As OpenAPI writes several parameters whose names are not known before.
    is_free_form: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a program can do.

    Attributes:
        path: With braces around its parts, as OpenAPI has it.
        endpoint: Flask's name for it, by which its audience is known.
        takes: Name of the shape of the body; None where there is none.
        gives: By status, name of the shape of the answer; None for an empty one.
    """

    method: str
    path: str
    endpoint: str
    summary: str
    gives: dict[int, str | None]
    takes: str | None = None
    parameters: tuple[Parameter, ...] = ()


_BASE = "/api/v1/collections"
_ONE = _BASE + "/{name}"
_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_TEXT: Schema = {"type": "string"}

# Parts of addresses, by the name they have there.
PARTS = {
    "name": Parameter("name", "Name of the collection.", _TEXT, is_in_path=True),
    "key": Parameter(
        "key",
        "Key of the document; its slashes may stand as they are.",
        {"type": "string", "minLength": 1},
        is_in_path=True,
    ),
    "synonym_id": Parameter("synonym_id", "Number of the synonym.", _ID, is_in_path=True),
    "curation_id": Parameter("curation_id", "Number of the pin.", _ID, is_in_path=True),
}
_QUERY = Parameter("q", "What to search for, in the query language.", {"type": "string"})
_FILTERS = Parameter(
    "filters",
    "“f.FIELD=VALUE” keeps documents with the value, or one of several; “min.FIELD=” and “max.FIELD=” are the ends of a"
    " range of numbers or dates.",
    {"type": "object", "patternProperties": {"^(f|min|max)\\..": _TEXT}, "additionalProperties": False},
    is_free_form=True,
)
_EXACT = Parameter("exact", "“1” takes the words as they are typed, without corrections.", _TEXT)
_PAGE_SIZE = Parameter(
    "page_size", "Documents of a page.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
)
_CURSOR = Parameter("cursor", "Where to go on: “next_cursor” of the page before.", _TEXT)
_SORT = Parameter("sort", "Name of a number or date to sort by; “-” before it for the greatest first.", _TEXT)
_SEARCH = (
    _QUERY,
    _FILTERS,
    _SORT,
    Parameter("page", "Which page; from 1.", {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1}),
    _PAGE_SIZE,
    _CURSOR,
    _EXACT,
    Parameter("explain", "“1” adds to each hit what its score is made of.", _TEXT),
)

OPERATIONS = (
    Operation("GET", _BASE, "api.list_collections", "List collections", {200: "Collections"}),
    Operation("GET", _ONE, "api.show_collection", "Read a collection and its fields", {200: "Collection"}),
    Operation("GET", _ONE + "/search", "api.search", "Search", {200: "SearchResults"}, parameters=_SEARCH),
    Operation(
        "GET",
        _ONE + "/explain/{key}",
        "api.explain",
        "Explain why a document is found, or not",
        {200: "Explanation"},
        parameters=(_QUERY, _FILTERS, _SORT, _EXACT),
    ),
    Operation(
        "GET",
        _ONE + "/documents",
        "api.list_documents",
        "List documents, page by page",
        {200: "DocumentPage"},
        parameters=(_QUERY, _FILTERS, _SORT, _PAGE_SIZE, _CURSOR),
    ),
    Operation(
        "POST",
        _ONE + "/documents",
        "api_documents.add_documents",
        "Create or change documents that tell their keys",
        {200: "WrittenList", 201: "Written"},
        takes="Documents",
    ),
    Operation("GET", _ONE + "/documents/{key}", "api.show_document", "Read a document", {200: "KeptDocument"}),
    Operation(
        "PUT",
        _ONE + "/documents/{key}",
        "api_documents.put_document",
        "Create or change the document of a key; to repeat it changes nothing",
        {200: "Written", 201: "Written"},
        takes="Document",
    ),
    Operation("DELETE", _ONE + "/documents/{key}", "api_documents.delete_document", "Delete a document", {204: None}),
    Operation("GET", _ONE + "/synonyms", "api_tuning.list_synonyms", "List synonyms", {200: "Synonyms"}),
    Operation(
        "POST", _ONE + "/synonyms", "api_tuning.add_synonym", "Add a synonym", {201: "Synonym"}, takes="NewSynonym"
    ),
    Operation("DELETE", _ONE + "/synonyms/{synonym_id}", "api_tuning.remove_synonym", "Remove a synonym", {204: None}),
    Operation(
        "GET", _ONE + "/curations", "api_tuning.list_curations", "List what is pinned and hidden", {200: "Curations"}
    ),
    Operation(
        "POST",
        _ONE + "/curations",
        "api_tuning.add_curation",
        "Pin or hide a document for a query",
        {201: "Curation"},
        takes="NewCuration",
    ),
    Operation(
        "DELETE",
        _ONE + "/curations/{curation_id}",
        "api_tuning.remove_curation",
        "Unpin or unhide a document",
        {204: None},
    ),
    Operation("GET", _ONE + "/ranking", "api_tuning.show_ranking", "Read how a collection ranks", {200: "Ranking"}),
    Operation(
        "PUT",
        _ONE + "/ranking",
        "api_tuning.change_ranking",
        "Change how a collection ranks; what is left out stays",
        {200: "Ranking"},
        takes="RankingChange",
    ),
    Operation(
        "GET", _ONE + "/visibility", "api_tuning.show_visibility", "Read who may see which rows", {200: "Visibility"}
    ),
    Operation(
        "PUT",
        _ONE + "/visibility",
        "api_tuning.change_visibility",
        "Say who may see which rows",
        {200: "Visibility"},
        takes="NewVisibility",
    ),
)
