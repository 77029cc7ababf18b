"""What is told by the settings and the machine, without asking the store."""

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from livesearch.config import Settings
from livesearch.db import sqlite_path
from livesearch.services.doctor.findings import Finding, fault, note, ok, warning

# File systems that other machines share: SQLite's log needs memory that all its readers share.
_SHARED_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "fuse.glusterfs"})
# Seconds to reach the mail server in.
_MAIL_SECONDS = 3.0
_MEGABYTE = 1_000_000


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """What was chosen, and what of it is unsafe or without effect."""
    store = make_url(settings.store_url).render_as_string(hide_password=True)
    yield ok("Store", f"It is {store}.")
    if not settings.is_sqlite and settings.secret_key is None:
        yield fault(
            "Secret key",
            "LIVESEARCH_SECRET_KEY is not set: with a PostgreSQL store no server starts.",
            "Set it to a long random value, the same for all processes.",
        )
    yield from _worker_findings(settings)
    yield from _reach_findings(settings)
    if settings.replica_urls:
        yield warning(
            "Replicas", "LIVESEARCH_REPLICA_URLS is set, but this version reads from the store alone.", "Unset it."
        )
    if settings.redis_url:
        yield warning("Redis", "LIVESEARCH_REDIS_URL is set, but this version does not use Redis.", "Unset it.")


def _worker_findings(settings: Settings) -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    text = f"{settings.workers} server process{'es' if settings.workers > 1 else ''}, {cores} processor cores."
    if settings.workers > cores:
        yield note("Workers", text, f"More processes than cores gain nothing: LIVESEARCH_WORKERS={cores}.")
    else:
        yield ok("Workers", text)


def _reach_findings(settings: Settings) -> Iterator[Finding]:
    """Who can reach the site, and how."""
    is_public = bool(settings.proxy_count or settings.public_url)
    if settings.trusted_hosts:
        yield ok("Host names", f"It answers to {', '.join(settings.trusted_hosts)} alone.")
    else:
        remedy = "Set LIVESEARCH_TRUSTED_HOSTS to the names it is reached by."
        say = warning if is_public else note
        yield say("Host names", "It answers to any host name.", remedy)
    address = urlsplit(settings.public_url or "")
    if address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield warning(
            "Encryption",
            f"LIVESEARCH_PUBLIC_URL is {settings.public_url}: passwords would cross the network for all to read.",
            "Put a proxy with TLS in front, set LIVESEARCH_PROXY_COUNT=1, and let the URL begin with https://.",
        )
    yield ok("Search", "Visitors may search." if settings.public_search else "Only who has signed in may search.")
    if settings.registration == "open":
        yield note(
            "Registration",
            "Whoever reaches the site can make an account.",
            "LIVESEARCH_REGISTRATION=closed leaves that to administrators.",
        )


def missing_file(settings: Settings) -> Path | None:
    """Where a SQLite store would be, if there is none."""
    if not settings.is_sqlite or (path := Path(sqlite_path(settings.store_url))).exists():
        return None
    return path


def file_findings(settings: Settings, uploads: Path) -> Iterator[Finding]:
    """How the files stand: the store's own where it is SQLite, the secret key beside it, the folder of uploads."""
    if settings.is_sqlite:
        yield from _sqlite_findings(Path(sqlite_path(settings.store_url)))
    yield from _upload_findings(uploads, settings)


def _sqlite_findings(path: Path) -> Iterator[Finding]:
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield fault(
            "File",
            f"{path} or its folder cannot be written by this user.",
            "SQLite writes files beside it: make the folder and the file the user's own.",
        )
    if (system := _file_system(path)) in _SHARED_SYSTEMS:
        yield warning(
            "File",
            f"{path} is on a file system of the network ({system}), where SQLite can lose what is written.",
            "Move it to a disk of this machine, or use PostgreSQL.",
        )
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    text = f"{size / _MEGABYTE:,.1f} MB, and {free / _MEGABYTE:,.0f} MB are free beside it."
    if free < max(size, 500 * _MEGABYTE):
        yield warning("Disk", text, "An import may need as much again: free some space.")
    else:
        yield ok("Disk", text)
    for kept, what in (
        (path, "what people have, and hashes of their passwords"),
        (Path(f"{path}.secret-key"), "what signs their cookies"),
    ):
        if kept.exists() and kept.stat().st_mode & 0o077:
            yield warning(
                "Permissions",
                f"Others on this machine may read {kept}, which holds {what}.",
                f"chmod 600 {kept}",
            )


def _file_system(path: Path) -> str | None:
    """The kind of file system a file is on; None where that cannot be told."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return None
    place = path.resolve()
    fitting = [(len(folder), system) for folder, system in mounts if place.is_relative_to(folder)]
    return max(fitting)[1] if fitting else None


def _upload_findings(folder: Path, settings: Settings) -> Iterator[Finding]:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK):
        yield fault(
            "Uploads",
            f"Files sent for import cannot be kept in {folder}.",
            "Let this user write there, or set LIVESEARCH_UPLOAD_FOLDER to another folder.",
        )
    elif (free := shutil.disk_usage(there).free) < 2 * settings.max_upload_mb * _MEGABYTE:
        yield warning(
            "Uploads",
            f"{free / _MEGABYTE:,.0f} MB are free in {folder}, and a file may have {settings.max_upload_mb:,} MB.",
            "Free some space, or set LIVESEARCH_MAX_UPLOAD_MB lower.",
        )
    else:
        yield ok("Uploads", f"Files of up to {settings.max_upload_mb:,} MB, kept in {folder}.")


async def mail_findings(settings: Settings) -> list[Finding]:
    """Whether digests can be sent."""
    host, port = settings.smtp_host, settings.smtp_port
    if host is None:
        return [note("Mail", "No mail server is set: no digests are sent.")]
    if settings.smtp_sender is None or settings.public_url is None:
        missing = "LIVESEARCH_SMTP_SENDER" if settings.smtp_sender is None else "LIVESEARCH_PUBLIC_URL"
        return [warning("Mail", "A mail server is set, but no digests are sent.", f"Set {missing}.")]
    try:
        await asyncio.to_thread(lambda: socket.create_connection((host, port), timeout=_MAIL_SECONDS).close())
    except (OSError, UnicodeError) as error:  # a name that is none
        return [
            warning(
                "Mail",
                f"The mail server {host}:{port} does not answer ({getattr(error, 'strerror', None) or error}).",
                "Check LIVESEARCH_SMTP_HOST, LIVESEARCH_SMTP_PORT and the network.",
            )
        ]
    return [ok("Mail", f"The mail server {host}:{port} takes connections.")]
