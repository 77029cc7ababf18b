"""The shapes of JSON that the API takes and gives, as JSON Schema 2020-12."""

from livesearch.domain import FieldType, Role, UserRole, VisibleTo
from livesearch.services.documents import Outcome
from livesearch.services.ranking import LARGEST_HALF_LIFE, LARGEST_WEIGHT

# Values of JSON Schema.
Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}


def refer(name: str) -> Schema:
    """Point to a shape that has a name."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(value: Schema) -> Schema:
    """A list of values of one shape."""
    return {"type": "array", "items": value}


def map_of(value: Schema) -> Schema:
    """An object with any names, and values of one shape."""
    return {"type": "object", "additionalProperties": value}


def shape(description: str, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object with these names and no others; all are there but the optional ones."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_END: Schema = {"type": ["number", "string", "null"]}
_PARTS = list_of(shape("A summand of the score.", label=TEXT, value=NUMBER))
_WORD: Schema = {"type": "string", "minLength": 1}
_WEIGHT: Schema = {"type": "number", "minimum": 0, "maximum": LARGEST_WEIGHT}
_POSITION: Schema = {"type": ["integer", "null"], "minimum": 1}

SCHEMAS: dict[str, Schema] = {
    "Document": {"type": "object", "description": "A row: names of fields and their values, of any JSON type."},
    "Collection": shape(
        "A collection of documents.",
        name=TEXT,
        label=TEXT,
        document_count=COUNT,
        version=COUNT,
        key_field=TEXT_OR_NULL,
        fields=list_of(
            shape(
                "A field; hidden ones are left out.",
                name=TEXT,
                label=TEXT,
                type={"enum": list(FieldType)},
                role={"enum": [role for role in Role if role is not Role.HIDDEN]},
            )
        ),
    ),
    "Collections": shape("All collections that may be searched.", collections=list_of(refer("Collection"))),
    "Hit": shape(
        "A document that was found. Highlights are HTML: escaped, with the matched words in <mark>.",
        optional=("explanation",),
        id=TEXT,
        document=refer("Document"),
        highlights=map_of(TEXT),
        score=NUMBER,
        explanation=_PARTS,
    ),
    "FacetValue": shape("A value of a facet.", value=TEXT, count=COUNT, selected=FLAG),
    "FacetTotal": shape(
        "How many values a facet has.", value_count=COUNT, value_count_is_exact=FLAG, counts_are_exact=FLAG
    ),
    "Range": shape(
        "The least and the greatest value of a number or date, and how many documents lie where between.",
        minimum=_END,
        maximum=_END,
        histogram=list_of(shape("A part of the range.", minimum=_END, maximum=_END, count=COUNT)),
    ),
    "SearchResults": shape(
        "A page of results.",
        query=TEXT,
        corrected_query=TEXT_OR_NULL,
        hits=list_of(refer("Hit")),
        total=COUNT,
        total_is_exact=FLAG,
        page={"type": "integer", "minimum": 1},
        page_size={"type": "integer", "minimum": 1},
        facets=map_of(list_of(refer("FacetValue"))),
        facet_totals=map_of(refer("FacetTotal")),
        ranges=map_of(refer("Range")),
        notices=list_of(TEXT),
        next_cursor=TEXT_OR_NULL,
        took_ms=NUMBER,
        version=COUNT,
    ),
    "Explanation": shape(
        "Why a document stands where it does, or why it is not found.",
        id=TEXT,
        query=TEXT,
        is_found=FLAG,
        rank={"type": ["integer", "null"]},
        is_pinned=FLAG,
        score=NUMBER,
        explanation=_PARTS,
        reasons=list_of(TEXT),
    ),
    "KeptDocument": shape("A document, hidden fields left out.", id=TEXT, collection=TEXT, document=refer("Document")),
    "DocumentPage": shape(
        "Some documents, and where to go on.",
        documents=list_of(shape("A document.", id=TEXT, document=refer("Document"))),
        total=COUNT,
        next_cursor=TEXT_OR_NULL,
        version=COUNT,
    ),
    "Written": shape(
        "What writing a document did, and the collection's version since.",
        id=TEXT,
        outcome={"enum": list(Outcome)},
        version=COUNT,
    ),
    "WrittenList": shape("What writing documents did, in their order.", documents=list_of(refer("Written"))),
    "Documents": {
        "description": "One document, or a list of them: all are written, or none.",
        "oneOf": [refer("Document"), list_of(refer("Document"))],
    },
    "NewSynonym": shape(
        "Words, and what is found with them, too.",
        optional=("is_two_way",),
        words=_WORD,
        alternatives={"type": "array", "items": _WORD, "minItems": 1},
        is_two_way={"type": "boolean", "default": True},
    ),
    "Synonym": shape("A synonym.", id=COUNT, words=TEXT, alternatives=list_of(TEXT), is_two_way=FLAG),
    "Synonyms": shape("All synonyms of a collection.", synonyms=list_of(refer("Synonym"))),
    "NewCuration": shape(
        "A document to pin to a place, or to hide, for a query.",
        optional=("position", "is_hidden"),
        query=TEXT,
        document=TEXT,
        position=_POSITION,
        is_hidden={"type": "boolean", "default": False},
    ),
    "Curation": shape(
        "A document that is pinned or hidden for a query.",
        id=COUNT,
        query=TEXT,
        document=TEXT,
        position=_POSITION,
        is_hidden=FLAG,
    ),
    "Curations": shape("All that is pinned and hidden in a collection.", curations=list_of(refer("Curation"))),
    "Ranking": shape(
        "How a collection ranks.",
        popularity_field=TEXT_OR_NULL,
        popularity_weight=_WEIGHT,
        recency_field=TEXT_OR_NULL,
        recency_weight=_WEIGHT,
        recency_half_life_days={"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_HALF_LIFE},
        language=TEXT_OR_NULL,
        weights=map_of(_WEIGHT),
        typos=map_of(FLAG),
    ),
    "Visibility": shape(
        "Who may see which rows. A role is for “role”, a field for “owner” and “groups”.",
        optional=("role", "field"),
        to={"enum": list(VisibleTo)},
        role={"enum": list(UserRole)},
        field=TEXT,
    ),
    "NewVisibility": shape(
        "Who is to see which rows. A role is for “role”, a field for “owner” and “groups”.",
        optional=("role", "field"),
        to={"enum": list(VisibleTo)},
        role={"enum": [*UserRole, None]},
        field=TEXT_OR_NULL,
    ),
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457); “detail” is for people.",
        "properties": {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "instance": TEXT},
        "required": ["type", "title", "status", "detail", "instance"],
    },
}
# Changing takes any part of what reading gives.
SCHEMAS["RankingChange"] = {**SCHEMAS["Ranking"], "description": "What to change of it.", "required": []}
