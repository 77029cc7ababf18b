"""Use cases: one class a noun. They own transactions, time limits, caches and the wrapping of foreign errors."""

from dataclasses import dataclass

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.services.collections import CollectionService
from livesearch.services.documents import DocumentService
from livesearch.services.health import HealthService, Readiness
from livesearch.services.imports import ImportService
from livesearch.services.integrity import IntegrityService
from livesearch.services.search import SearchService
from livesearch.services.suggestions import SuggestionService
from livesearch.services.transactions import Transactions

__all__ = ["Readiness", "Services", "build_services"]


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case, ready to be called."""

    collections: CollectionService
    documents: DocumentService
    health: HealthService
    imports: ImportService
    integrity: IntegrityService
    search: SearchService
    suggestions: SuggestionService
    transactions: Transactions


def build_services(settings: Settings, database: Database) -> Services:  # noqa: ARG001  # caches and limits will need them
    """Put the services together over one database."""
    transactions = Transactions(database)
    search = SearchService(transactions)
    return Services(
        collections=CollectionService(transactions),
        documents=DocumentService(transactions),
        health=HealthService(transactions),
        imports=ImportService(transactions),
        integrity=IntegrityService(transactions),
        search=search,
        suggestions=SuggestionService(transactions, search),
        transactions=transactions,
    )
