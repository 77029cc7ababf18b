"""JSON values of what an owner tuned, for programs and for `--json`."""

from livesearch.domain import SEARCHABLE_ROLES, Collection, Curation, Synonym, VisibilityRule
from livesearch.search.analysis import written


def present_synonym(synonym: Synonym) -> dict[str, object]:
    """A synonym."""
    return {
        "id": synonym.id,
        "words": written(synonym.words),
        "alternatives": [written(words) for words in synonym.alternatives],
        "is_two_way": synonym.is_two_way,
    }


def present_curation(curation: Curation) -> dict[str, object]:
    """A document that is pinned or hidden for a query."""
    return {
        "id": curation.id,
        "query": written(curation.query),
        "document": curation.document_key,
        "position": curation.position,
        "is_hidden": curation.position is None,
    }


def present_ranking(collection: Collection) -> dict[str, object]:
    """How a collection ranks; weights and typo tolerance of the fields that are searched."""
    settings, searched = collection.settings, collection.by_role(*SEARCHABLE_ROLES)
    return {
        "popularity_field": collection.popularity_field,
        "popularity_weight": settings.popularity_weight,
        "recency_field": settings.recency_field,
        "recency_weight": settings.recency_weight,
        "recency_half_life_days": settings.recency_half_life_days,
        "language": settings.language,
        "weights": {field.name: field.weight for field in searched},
        "typos": {field.name: field.is_typo_tolerant for field in searched},
    }


def present_visibility(rule: VisibilityRule) -> dict[str, object]:
    """Who may see which rows; what the rule does not need is left out."""
    found = {"to": rule.to, "role": rule.role, "field": rule.field}
    return {name: value for name, value in found.items() if value is not None}
