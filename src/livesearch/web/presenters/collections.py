"""The first page of a site with several collections, and suggestions."""

from collections.abc import Sequence
from dataclasses import fields

from flask import url_for

from livesearch.domain import Collection, ResultPage, SearchQuery, Suggestion
from livesearch.web.contexts import (
    CollectionCard,
    CollectionsFragment,
    CollectionsPage,
    SuggestionOption,
    SuggestionsFragment,
)
from livesearch.web.presenters.addresses import document_url, search_address
from livesearch.web.presenters.formats import format_count, format_highlight, format_results, shorten, shorten_highlight
from livesearch.web.presenters.results import SITE_NAME, TITLE_LENGTH, present_rows
from livesearch.web.presenters.tips import present_general_tips


def present_collections(collections: Sequence[Collection], *, is_fragment: bool) -> CollectionsFragment:
    """Every collection, before anything is searched."""
    cards = tuple(
        CollectionCard(
            label=collection.label,
            url=search_address(collection, SearchQuery()),
            status=f"{format_count(collection.document_count)} documents",
            rows=(),
            more_label="",
        )
        for collection in collections
    )
    noun = "collection" if len(cards) == 1 else "collections"
    return CollectionsFragment(
        title=SITE_NAME, text="", status=f"{format_count(len(cards))} {noun}", cards=cards, is_fragment=is_fragment
    )


def present_findings(text: str, found: Sequence[ResultPage], *, is_fragment: bool) -> CollectionsFragment:
    """What a search over all collections found; those with nothing to show are left out."""
    shown = [page for page in found if page.hits]
    total, is_exact = sum(page.total for page in shown), all(page.total_is_exact for page in shown)
    return CollectionsFragment(
        title=f"{shorten(text)} · {SITE_NAME}",
        text=text,
        status=f"{format_results(total, is_exact=is_exact)} for “{shorten(text)}”",
        cards=tuple(_present_card(text, page) for page in shown),
        is_fragment=is_fragment,
    )


def present_collections_page(fragment: CollectionsFragment) -> CollectionsPage:
    """The page around the collections."""
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return CollectionsPage(
        **shared,
        search_url=url_for("pages.home"),
        placeholder="Search everything",
        suggest_url="",
        tips=present_general_tips(),
    )


def present_suggestions(name: str, text: str, suggestions: Sequence[Suggestion]) -> SuggestionsFragment:
    """The options of the suggestion list, documents as links."""
    options = tuple(
        SuggestionOption(
            id=f"suggestion-{position}",
            text=suggestion.text if suggestion.key is None else shorten(suggestion.text),
            label=format_highlight(shorten_highlight(suggestion.label, TITLE_LENGTH)),
            url="" if suggestion.key is None else document_url(name, suggestion.key),
        )
        for position, suggestion in enumerate(suggestions)
        # What stands in the box already is no suggestion.
        if suggestion.key is not None or suggestion.text != text.strip()
    )
    return SuggestionsFragment(text=text, options=options)


def _present_card(text: str, page: ResultPage) -> CollectionCard:
    hidden_count = page.total - len(page.hits)
    return CollectionCard(
        label=page.collection.label,
        url=search_address(page.collection, SearchQuery(text=text)),
        status=format_results(page.total, is_exact=page.total_is_exact)
        + (f" for “{shorten(page.corrected_query)}”" if page.corrected_query else ""),
        rows=present_rows(page),
        more_label=f"Show all {format_count(page.total)}{_more(page)}" if hidden_count > 0 else "",
    )


def _more(page: ResultPage) -> str:
    """A plus after a number that is a lower bound."""
    return "" if page.total_is_exact else "+"
