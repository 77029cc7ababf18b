"""Value objects: what services take and give.

All are frozen. Counts are exact unless a field says otherwise; times are in milliseconds where a name ends in ``_ms``.
"""

from livesearch.domain.changes import DocumentChange, ListChange, PostingChange, RecentChange
from livesearch.domain.collections import Collection, CollectionSettings, Curation, Synonym, collection_label
from livesearch.domain.documents import (
    CHUNK_BITS,
    NUMERIC_ROLES,
    SEARCHABLE_ROLES,
    Document,
    Field,
    FieldType,
    Place,
    Role,
)
from livesearch.domain.imports import ImportReport, Reject, Row
from livesearch.domain.jobs import LIVE_STATES, ImportJob, JobChoices, JobProgress, JobResult, JobState, JobTask
from livesearch.domain.people import Scope, Token, User, UserPage, UserRole, UserSession
from livesearch.domain.queries import Range, SearchQuery
from livesearch.domain.results import (
    Bin,
    Explanation,
    Facet,
    FacetValue,
    Highlight,
    Hit,
    RangeFacet,
    ResultPage,
    ScorePart,
    Segment,
    Suggestion,
)
from livesearch.domain.saved import DigestRhythm, SavedSearch, SavedSearchState
from livesearch.domain.shortlists import SharedShortlist, ShortlistedDocument, ShortlistEntry
from livesearch.domain.visibility import ANYBODY, OPERATOR, PUBLIC, Viewer, VisibilityRule, VisibleTo

__all__ = [
    "ANYBODY",
    "CHUNK_BITS",
    "LIVE_STATES",
    "NUMERIC_ROLES",
    "OPERATOR",
    "PUBLIC",
    "SEARCHABLE_ROLES",
    "Bin",
    "Collection",
    "CollectionSettings",
    "Curation",
    "DigestRhythm",
    "Document",
    "DocumentChange",
    "Explanation",
    "Facet",
    "FacetValue",
    "Field",
    "FieldType",
    "Highlight",
    "Hit",
    "ImportJob",
    "ImportReport",
    "JobChoices",
    "JobProgress",
    "JobResult",
    "JobState",
    "JobTask",
    "ListChange",
    "Place",
    "PostingChange",
    "Range",
    "RangeFacet",
    "RecentChange",
    "Reject",
    "ResultPage",
    "Role",
    "Row",
    "SavedSearch",
    "SavedSearchState",
    "Scope",
    "ScorePart",
    "SearchQuery",
    "Segment",
    "SharedShortlist",
    "ShortlistEntry",
    "ShortlistedDocument",
    "Suggestion",
    "Synonym",
    "Token",
    "User",
    "UserPage",
    "UserRole",
    "UserSession",
    "Viewer",
    "VisibilityRule",
    "VisibleTo",
    "collection_label",
]
