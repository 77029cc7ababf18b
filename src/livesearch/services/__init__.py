"""Use cases: one class a noun. They own transactions, time limits, caches and the wrapping of foreign errors."""

from dataclasses import dataclass
from pathlib import Path

from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.services.accounts import AccountService
from livesearch.services.activity import ActivityService
from livesearch.services.change_tokens import ChangeTokens, tokens_of
from livesearch.services.collection_settings import CollectionSettingsService
from livesearch.services.collections import CollectionService
from livesearch.services.curations import CurationService
from livesearch.services.digests import DigestService
from livesearch.services.documents import DocumentService
from livesearch.services.editing import EditingService
from livesearch.services.evaluation import EvaluationService
from livesearch.services.field_roles import FieldRoleService
from livesearch.services.health import HealthService, Readiness
from livesearch.services.imports import ImportService
from livesearch.services.integrity import IntegrityService
from livesearch.services.jobs import ImportJobService, JobFolder
from livesearch.services.live import LiveService
from livesearch.services.mail import Mailer
from livesearch.services.policy import Policy
from livesearch.services.ranking import RankingService
from livesearch.services.reindexing import ReindexingService
from livesearch.services.saved_searches import SavedSearchService
from livesearch.services.search import SearchService
from livesearch.services.sessions import SessionService
from livesearch.services.shortlists import ShortlistService
from livesearch.services.suggestions import SuggestionService
from livesearch.services.synonyms import SynonymService
from livesearch.services.tokens import TokenService
from livesearch.services.transactions import Transactions
from livesearch.services.users import UserService
from livesearch.services.visibility import VisibilityService

__all__ = ["Readiness", "Services", "build_services"]


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case, ready to be called."""

    accounts: AccountService
    activity: ActivityService
    change_tokens: ChangeTokens
    collection_settings: CollectionSettingsService
    collections: CollectionService
    curations: CurationService
    digests: DigestService
    documents: DocumentService
    editing: EditingService
    evaluation: EvaluationService
    health: HealthService
    import_jobs: ImportJobService
    imports: ImportService
    integrity: IntegrityService
    live: LiveService
    policy: Policy
    ranking: RankingService
    reindexing: ReindexingService
    saved_searches: SavedSearchService
    search: SearchService
    sessions: SessionService
    shortlists: ShortlistService
    suggestions: SuggestionService
    synonyms: SynonymService
    tokens: TokenService
    transactions: Transactions
    users: UserService
    visibility: VisibilityService


def build_services(settings: Settings, database: Database) -> Services:
    """Put the services together over one database."""
    transactions = Transactions(database)
    search = SearchService(transactions)
    sessions = SessionService(transactions)
    change_tokens = tokens_of(transactions)
    documents = DocumentService(transactions)
    saved_searches = SavedSearchService(transactions, search, change_tokens)
    reindexing = ReindexingService(transactions)
    folder = JobFolder(upload_folder(settings))
    collections, curations = CollectionService(transactions), CurationService(transactions)
    ranking, synonyms = RankingService(transactions, reindexing), SynonymService(transactions)
    visibility = VisibilityService(transactions, reindexing)
    jobs = ImportJobService(transactions, folder, upload_limit=settings.max_upload_mb * 1_000_000)
    return Services(
        accounts=AccountService(transactions, sessions, is_registration_open=settings.registration == "open"),
        activity=ActivityService(transactions),
        change_tokens=change_tokens,
        collection_settings=CollectionSettingsService(
            collections, ranking, FieldRoleService(transactions), visibility, synonyms, curations, jobs
        ),
        collections=collections,
        curations=curations,
        digests=DigestService(transactions, saved_searches, Mailer.of(settings), public_url=settings.public_url),
        documents=documents,
        editing=EditingService(transactions),
        evaluation=EvaluationService(transactions, search),
        health=HealthService(transactions),
        import_jobs=jobs,
        imports=ImportService(transactions),
        integrity=IntegrityService(transactions),
        live=LiveService(transactions, change_tokens, search),
        policy=Policy(is_search_public=settings.public_search),
        ranking=ranking,
        reindexing=reindexing,
        saved_searches=saved_searches,
        search=search,
        sessions=sessions,
        shortlists=ShortlistService(transactions, documents),
        suggestions=SuggestionService(transactions, search),
        synonyms=synonyms,
        tokens=TokenService(transactions),
        transactions=transactions,
        users=UserService(transactions),
        visibility=visibility,
    )


def upload_folder(settings: Settings) -> Path:
    """Where uploaded files lie."""
    if settings.upload_folder:
        return Path(settings.upload_folder)
    return Path(f"{sqlite_path(settings.store_url)}.uploads" if settings.is_sqlite else "livesearch-uploads")
