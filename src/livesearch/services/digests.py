"""Digests: users are written to about what is new in their saved searches, never twice about the same document.

What is told is noted before the mail is handed over, and taken back where the server refuses it. So a process that is
killed in between has a mail too few to answer for, and never one too many.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid

import structlog
from pyroaring import BitMap

from livesearch.domain import DigestRhythm, User, collection_label
from livesearch.errors import ConfigError, InvalidInputError, LivesearchError, MailError
from livesearch.services.mail import Mailer
from livesearch.services.saved_searches import SavedSearchService, Untold, one_line
from livesearch.services.transactions import Transactions
from livesearch.store import digests as store
from livesearch.store.saved_searches import load_sets

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("livesearch.digests")

_DAY_SECONDS = 86_400.0
# An hour less than the rhythm: a job that runs daily does not run at the very same second.
_PERIODS = {DigestRhythm.DAILY: _DAY_SECONDS - 3600.0, DigestRhythm.WEEKLY: 7 * _DAY_SECONDS - 3600.0}
# Characters of a document's title.
_TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class DigestReport:
    """What was done: mails that were handed over, and users to whom none could be."""

    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link in a mail ends.

    Attributes:
        name: Of the saved search.
    """

    user_id: int
    search_id: int
    name: str


@dataclass(frozen=True, slots=True)
class _Part:
    """What a mail says about one search, and all that its owner then has been told."""

    due: store.DueDigest
    untold: Untold
    before: BitMap


class DigestService:
    """Writes to users.

    Args:
        mailer: None where the operator has no mail server.
        public_url: Where people reach the site; links begin so.
        clock: Tells Unix seconds, UTC.
    """

    def __init__(
        self,
        transactions: Transactions,
        saved_searches: SavedSearchService,
        mailer: Mailer | None,
        *,
        public_url: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transactions = transactions
        self._saved_searches = saved_searches
        self._mailer = mailer
        self._public_url = public_url
        self._clock = clock

    @property
    def is_possible(self) -> bool:
        """Whether there is a mail server, and an address for links."""
        return self._mailer is not None and self._public_url is not None

    async def send_due(self) -> DigestReport:
        """Write to every user who is due and has something new.

        Raises:
            ConfigError: There is no mail server, or no address for links.
        """
        if self._mailer is None or self._public_url is None:
            raise ConfigError(
                "No mail can be sent. Set LIVESEARCH_SMTP_HOST, LIVESEARCH_SMTP_SENDER and LIVESEARCH_PUBLIC_URL."
            )
        now = self._clock()
        async with self._transactions.read() as conn:
            due = await store.list_due(conn, {rhythm: now - period for rhythm, period in _PERIODS.items()})
        sent = failed = 0
        for user, searches in due:
            try:
                sent += await self._write_to(self._mailer, user, searches, now)
            except MailError as error:
                log.warning("digest_failed", user=user.id, reason=str(error))
                failed += 1
        return DigestReport(sent, failed)

    async def _write_to(self, mailer: Mailer, user: User, searches: list[store.DueDigest], now: float) -> bool:
        """Write to one user; says whether there was anything to say."""
        parts = [part for due in searches if (part := await self._part(user, due)) is not None]
        async with self._transactions.write() as conn:
            # Who was not faster has nothing to say.
            claimed = [
                part
                for part in parts
                if await store.note_told(conn, part.due, part.before | part.untold.numbers, now=now)
            ]
        if not claimed:
            return False
        try:
            await mailer.send(self._message(user, claimed))
        except MailError:
            async with self._transactions.write() as conn:
                for part in claimed:
                    told = store.DueDigest(part.due.saved, part.due.stop_token, told_at=now)
                    await store.note_told(conn, told, part.before, now=part.due.told_at)
            raise
        return True

    async def _part(self, user: User, due: store.DueDigest) -> _Part | None:
        try:
            untold = await self._saved_searches.untold(user, due.saved)
        except LivesearchError as error:
            # Its field is gone, or it takes too long: the dashboard says so.
            log.warning("digest_left_out", saved_search=due.saved.id, reason=str(error))
            return None
        if not untold.numbers:
            return None
        async with self._transactions.read() as conn:
            before = (await load_sets(conn, [due.saved.id], "told")).get(due.saved.id, BitMap())
        return _Part(due, untold, before)

    def _message(self, user: User, parts: list[_Part]) -> EmailMessage:
        total = sum(len(part.untold.numbers) for part in parts)
        where = f"“{one_line(parts[0].due.saved.name)}”" if len(parts) == 1 else "your saved searches"
        stop_all = self._url(f"/unsubscribe/{parts[0].due.stop_token}")
        message = EmailMessage()
        try:
            message["To"] = user.email or ""
        except Exception as error:  # whatever: the parser of addresses fails in many ways, and one is no reason for all
            raise MailError(f"“{user.email}” is no address to write to.") from error
        message["Subject"] = f"{total:,} new in {where}"
        message["Message-ID"] = make_msgid(domain="livesearch.invalid")
        # RFC 3834: nobody who is away answers it. RFC 8058: mail programs end it with one click.
        message["Auto-Submitted"] = "auto-generated"
        message["List-Unsubscribe"] = f"<{stop_all}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        texts = [*map(self._text, parts), f"All saved searches: {self._url('/dashboard')}\nNo more mails: {stop_all}\n"]
        message.set_content("\n\n".join(texts))
        return message

    def _text(self, part: _Part) -> str:
        saved, count = part.due.saved, len(part.untold.numbers)
        titles = [" ".join(title.split())[:_TITLE_LENGTH] for title in part.untold.titles]
        rest = count - len(titles)
        lines = [f"{saved.name} ({collection_label(saved.collection)}): {count:,} new"]
        lines += [f"  {title}" for title in titles]
        lines += [f"  and {rest:,} more"] if rest else []
        lines += [f"Look: {self._url('/dashboard')}", f"Stop: {self._url(f'/unsubscribe/{part.due.stop_token}')}"]
        return "\n".join(lines)

    def _url(self, path: str) -> str:
        return f"{self._public_url}{path}"

    async def require_stop(self, token: str) -> Stop:
        """What a link in a mail ends.

        Raises:
            InvalidInputError: The link is of no use: the search was deleted, or there is a newer link.
        """
        async with self._transactions.read() as conn:
            found = None if "\0" in token else await store.find_stop(conn, token)
        if found is None:
            raise InvalidInputError(
                "This link is of no use any more. Your dashboard says what you are written to about."
            )
        return Stop(*found)

    async def stop(self, token: str, *, is_all: bool) -> Stop:
        """Write to its owner no more about the search of a link, or about any.

        Raises:
            InvalidInputError: As for ``require_stop``.
        """
        stop = await self.require_stop(token)
        async with self._transactions.write() as conn:
            await store.stop_digests(conn, stop.user_id, None if is_all else stop.search_id)
        return stop
