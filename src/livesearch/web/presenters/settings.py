"""A collection's settings as their page shows them."""

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_wtf.csrf import generate_csrf

from livesearch.domain import (
    SEARCHABLE_ROLES,
    Collection,
    Curation,
    Field,
    Hit,
    ResultPage,
    Role,
    Synonym,
    UserRole,
    VisibleTo,
)
from livesearch.search.analysis import written
from livesearch.services.collection_settings import OwnersView
from livesearch.services.field_roles import possible_roles
from livesearch.services.ranking import LANGUAGES, NO_FIELD, NO_LANGUAGE
from livesearch.services.synonyms import describe
from livesearch.web.contexts.settings import (
    Choice,
    ComparedHit,
    PreviewFragment,
    RoleRow,
    SettingsPage,
    TunedRow,
    Typed,
    WeightRow,
)
from livesearch.web.presenters.formats import format_count
from livesearch.web.presenters.imports import ROLE_LABELS, role_label

NO_PREVIEW = PreviewFragment("", "", (), ())

_VISIBLE = {
    VisibleTo.PUBLIC: "Everybody",
    VisibleTo.SIGNED_IN: "Who has signed in",
    VisibleTo.ROLE: "Users with at least the role below",
    VisibleTo.OWNER: "The user that the field below names",
    VisibleTo.GROUPS: "Members of the groups that the field below lists",
}


def present_settings(
    view: OwnersView,
    shown: Collection,
    preview: PreviewFragment,
    *,
    tried: str,
    notice: str,
    failure: str,
    typed: Typed,
) -> SettingsPage:
    """The page.

    Args:
        shown: The collection with the settings that the forms show; more than what is saved after a preview.
    """
    collection, settings = view.collection, shown.settings
    name, rule = collection.name, view.collection.settings.visibility
    return SettingsPage(
        csrf=generate_csrf(),
        name=name,
        label=collection.label,
        facts=_facts(collection),
        notice=notice,
        failure=failure,
        typed=typed,
        url=url_for("settings.show", name=name),
        collection_url=url_for("pages.search", name=name),
        preview_url=url_for("settings.preview", name=name),
        weights=tuple(
            WeightRow(f"weight-{place}", field.name, role_label(field), _number(field.weight), field.is_typo_tolerant)
            for place, field in enumerate(shown.by_role(*SEARCHABLE_ROLES))
        ),
        popularity_fields=_field_choices(shown.by_role(Role.SORT), shown.popularity_field),
        popularity_weight=_number(settings.popularity_weight),
        recency_fields=_field_choices(shown.by_role(Role.DATE), settings.recency_field),
        recency_weight=_number(settings.recency_weight),
        recency_half_life_days=_number(settings.recency_half_life_days),
        languages=tuple(
            Choice(one, "None" if one == NO_LANGUAGE else one.capitalize(), one == settings.language)
            for one in LANGUAGES
        ),
        tried=tried,
        fault=preview.fault,
        verdict=preview.verdict,
        before=preview.before,
        after=preview.after,
        fields=tuple(_role_row(place, field, collection) for place, field in enumerate(collection.fields)),
        has_facets=bool(collection.facet_fields),
        synonyms=tuple(_synonym_row(name, synonym) for synonym in view.synonyms),
        curations=tuple(_curation_row(name, curation) for curation in view.curations),
        visibilities=tuple(Choice(to.value, label, to is rule.to) for to, label in _VISIBLE.items()),
        visible_roles=tuple(Choice(role.value, role.value.capitalize(), role is rule.role) for role in UserRole),
        visible_fields=_field_choices(collection.fields, rule.field),
    )


def _facts(collection: Collection) -> tuple[str, ...]:
    count = collection.document_count
    facts = ["1 row" if count == 1 else f"{format_count(count)} rows"]
    if collection.source_table:
        facts.append(f"follows table {collection.source_table}")
    elif collection.source:
        facts.append(f"from {collection.source.rpartition('/')[2]}")
    return tuple(facts)


def _field_choices(fields: Iterable[Field], chosen: str | None) -> tuple[Choice, ...]:
    named = (Choice(field.name, field.name, field.name == chosen) for field in fields)
    return (Choice(NO_FIELD, "None", is_chosen=not chosen), *named)


def _role_row(place: int, field: Field, collection: Collection) -> RoleRow:
    facets = [found.name for found in collection.facet_fields]
    roles = [role for role in possible_roles(field) if role is not field.role]
    choices = [Choice(field.role.value, role_label(field), is_chosen=True)]
    choices += [Choice(role.value, ROLE_LABELS[role], is_chosen=False) for role in roles]
    return RoleRow(
        id=f"field-{place}",
        name=field.name,
        kind=f"{field.type.value} list" if field.is_list else field.type.value,
        role=role_label(field),
        choices=tuple(choices) if roles else (),
        place=str(facets.index(field.name) + 1) if field.name in facets else "",
        reason=field.reason,
    )


def _synonym_row(name: str, synonym: Synonym) -> TunedRow:
    url = url_for("settings.remove_synonym", name=name, synonym_id=synonym.id)
    return TunedRow(describe(synonym), "" if synonym.is_two_way else "one way", url)


def _curation_row(name: str, curation: Curation) -> TunedRow:
    what = "hidden" if curation.position is None else f"place {curation.position}"
    url = url_for("settings.remove_pin", name=name, curation_id=curation.id)
    return TunedRow(f"{written(curation.query)}: {curation.document_key}", what, url)


def present_comparison(before: ResultPage, after: ResultPage) -> PreviewFragment:
    """Two results side by side, and what is different."""
    old = {hit.key: place for place, hit in enumerate(before.hits)}
    moved = sum(1 for place, hit in enumerate(after.hits) if old.get(hit.key) != place)
    if not before.hits and not after.hits:
        verdict = "Nothing is found."
    elif not moved:
        verdict = "The first results are the same."
    else:
        verdict = f"{moved} of the first {len(after.hits)} places would change."
    return PreviewFragment(
        fault="",
        verdict=verdict,
        before=tuple(ComparedHit(_title(hit), "", "") for hit in before.hits),
        after=_compared(after.hits, old),
    )


def _compared(hits: Sequence[Hit], old: dict[str, int]) -> tuple[ComparedHit, ...]:
    compared = []
    for place, hit in enumerate(hits):
        before = old.get(hit.key)
        if before is None:
            move, kind = "new here", "is-new"
        elif before == place:
            move, kind = "", ""
        else:
            way = "up" if before > place else "down"
            move, kind = f"{way} from {before + 1}", f"is-{way}"
        compared.append(ComparedHit(_title(hit), move, kind))
    return tuple(compared)


def _title(hit: Hit) -> str:
    return "".join(segment.text for segment in hit.title)


def _number(value: float) -> str:
    return f"{value:g}"
