"""PostgreSQL: the engine over asyncpg, which cancels a statement on the server when its task is cancelled."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# Milliseconds after which the server ends a statement, a wait for a lock, and an idle transaction. The time limit of
# a search is shorter and ours; these are for what nobody waits for any more. Bulk statements of an import fit.
SERVER_SETTINGS = {
    "application_name": "livesearch",
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "60000",
}


def postgres_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Make an engine that opens connections as they are needed, at most `pool_size` and half as many more."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size // 2,
        pool_timeout=2,  # seconds, as for SQLite
        # A server that restarted costs one round trip instead of failed requests (15 of 120 without).
        pool_pre_ping=True,
        pool_recycle=300,  # seconds: shorter than what firewalls forget
        hide_parameters=True,
        connect_args={
            "timeout": 3,  # seconds to connect
            "command_timeout": 35,  # seconds; past the server's own limit, for a network that went silent
            "server_settings": SERVER_SETTINGS,
        },
    )
