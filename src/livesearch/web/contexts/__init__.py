"""What templates are given: one frozen dataclass a template, everything formatted, sorted and linked.

A ``Markup`` is HTML already; a ``str`` is escaped where it is shown. URLs are relative to the site's root.
"""

from livesearch.web.contexts.api_docs import ApiDocsPage, ApiOperation, ApiParameter, ApiShape
from livesearch.web.contexts.collections import CollectionCard, CollectionsFragment, CollectionsPage
from livesearch.web.contexts.documents import DocumentFragment, DocumentPage, Property
from livesearch.web.contexts.editing import (
    ChangeNotice,
    DocumentEditing,
    EditLink,
    FieldChange,
    PastChange,
    ResultsEditing,
)
from livesearch.web.contexts.errors import ErrorFragment, ErrorPage
from livesearch.web.contexts.explanations import ExplanationBox, ExplanationFragment, ExplanationPage, ScoreLine
from livesearch.web.contexts.facets import Chip, FacetFragment, FacetGroup, FacetOption, Histogram, RangeGroup
from livesearch.web.contexts.live import ListChangeFragment, Poll
from livesearch.web.contexts.results import (
    Correction,
    EmptyHelp,
    ResultsFragment,
    SearchPage,
    SearchTip,
    SearchTips,
    SortChoice,
)
from livesearch.web.contexts.rows import ExplanationLink, PageLink, Pagination, ResultRow, Snippet
from livesearch.web.contexts.suggestions import SuggestionOption, SuggestionsFragment

__all__ = [
    "ApiDocsPage",
    "ApiOperation",
    "ApiParameter",
    "ApiShape",
    "ChangeNotice",
    "Chip",
    "CollectionCard",
    "CollectionsFragment",
    "CollectionsPage",
    "Correction",
    "DocumentEditing",
    "DocumentFragment",
    "DocumentPage",
    "EditLink",
    "EmptyHelp",
    "ErrorFragment",
    "ErrorPage",
    "ExplanationBox",
    "ExplanationFragment",
    "ExplanationLink",
    "ExplanationPage",
    "FacetFragment",
    "FacetGroup",
    "FacetOption",
    "FieldChange",
    "Histogram",
    "ListChangeFragment",
    "PageLink",
    "Pagination",
    "PastChange",
    "Poll",
    "Property",
    "RangeGroup",
    "ResultRow",
    "ResultsEditing",
    "ResultsFragment",
    "ScoreLine",
    "SearchPage",
    "SearchTip",
    "SearchTips",
    "Snippet",
    "SortChoice",
    "SuggestionOption",
    "SuggestionsFragment",
]
