"""Digests, handed to a real mail server: whom, about what, how often, and never twice about one document."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from itertools import count

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from livesearch.domain import DigestRhythm, Role, SavedSearch, SearchQuery, User, UserRole
from livesearch.errors import ConfigError, InvalidInputError, MailError
from livesearch.services import Services
from livesearch.services.digests import DigestReport, DigestService
from livesearch.services.mail import Mailer
from tests.services.conftest import LoadRows
from tests.services.test_tokens import Clock

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROLES = {"title": Role.TITLE}
ROWS = [{"id": "1", "title": "Zelda the beginning"}, {"id": "2", "title": "Mario World"}]
DAY = 86_400.0
_NUMBERS = count(1)


class Inbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        if self.refuses:
            return "451 Not now"
        assert isinstance(envelope.content, bytes)
        self.mails.append(BytesParser(EmailMessage, policy=default).parsebytes(envelope.content))
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails]


def _sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:  # noqa: ARG001
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"mailer", b"secret"), handled=False)


@pytest_asyncio.fixture(loop_scope="session")
async def inbox() -> Inbox:
    return Inbox()


@pytest_asyncio.fixture(loop_scope="session")
async def mailer(inbox: Inbox) -> AsyncIterator[Mailer]:
    """What hands mails to a server that takes those of who has signed in."""

    def make() -> SMTP:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # passwords without TLS
            return SMTP(inbox, authenticator=_sign_in, auth_require_tls=False, auth_required=True)

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield Mailer("127.0.0.1", port, "none", "search@example.com", "mailer", "secret")
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def digests(store: Services, mailer: Mailer, clock: Clock) -> DigestService:
    return DigestService(
        store.transactions, store.saved_searches, mailer, public_url="https://search.example.com", clock=clock
    )


@pytest_asyncio.fixture(loop_scope="session")
async def user(store: Services) -> AsyncIterator[User]:
    name = f"reader {next(_NUMBERS)}"
    added = await store.accounts.add(name, "correct horse", role=UserRole.VIEWER, email="reader@example.com")
    yield added
    await store.accounts.delete(added.name)


@pytest_asyncio.fixture(loop_scope="session")
async def saved(store: Services, user: User, load_rows: LoadRows) -> SavedSearch:
    """A search that its owner is written to about once a day."""
    found = await store.saved_searches.save(user, await load_rows(store, ROWS, ROLES), SearchQuery("zelda"))
    await store.saved_searches.change(user, found.id, digest=DigestRhythm.DAILY)
    return found


async def add(store: Services, saved: SavedSearch, *keys: str) -> None:
    for key in keys:
        await store.documents.put(saved.collection, key, {"title": f"Zelda {key}"})


async def test_mail_says_what_is_new_and_how_to_end_it(
    store: Services, saved: SavedSearch, digests: DigestService, inbox: Inbox
) -> None:
    await add(store, saved, *(f"n{number}" for number in range(7)))

    assert await digests.send_due() == DigestReport(sent=1, failed=0)

    (mail,) = inbox.mails
    assert (mail["To"], mail["From"]) == ("reader@example.com", "search@example.com")
    assert mail["Subject"] == "7 new in “zelda”"
    text = mail.get_content().replace("\r\n", "\n")
    assert "zelda (" in text
    assert "  Zelda n6\n  Zelda n5\n  Zelda n4\n  Zelda n3\n  Zelda n2\n  and 2 more\n" in text
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip(" <>")
    assert link.startswith("https://search.example.com/unsubscribe/")
    assert link in text


async def test_nobody_is_written_to_twice_about_one_document(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox, clock: Clock
) -> None:
    await add(store, saved, "a")
    await digests.send_due()
    await add(store, saved, "b", "c")

    soon = await digests.send_due()
    clock.now += DAY
    later = await digests.send_due()
    clock.now += DAY
    idle = await digests.send_due()
    # Marked as seen while it was gone, and found again: new on the dashboard, but told before.
    await store.documents.put(saved.collection, "a", {"title": "Mario"})
    await store.saved_searches.mark_seen(user)
    await store.documents.put(saved.collection, "a", {"title": "Zelda"})
    clock.now += DAY
    again = await digests.send_due()

    assert [report.sent for report in (soon, later, idle, again)] == [0, 1, 0, 0]
    assert inbox.subjects == ["1 new in “zelda”", "2 new in “zelda”"]
    assert (await store.saved_searches.overview(user))[0].new_count == 1


async def test_what_was_seen_is_not_told(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox
) -> None:
    await add(store, saved, "a")
    await store.saved_searches.mark_seen(user)

    await digests.send_due()

    assert inbox.mails == []


async def test_weekly_waits_a_week_and_searches_share_a_mail(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox, clock: Clock
) -> None:
    other = await store.saved_searches.save(user, saved.collection, SearchQuery("mario"), "Plumbers")
    await store.saved_searches.change(user, other.id, digest=DigestRhythm.WEEKLY)
    for day in range(8):
        await store.documents.put(saved.collection, f"d{day}", {"title": f"Zelda and Mario {day}"})
        await digests.send_due()
        clock.now += DAY

    # Both on the first day, one on each of the six days after it, both when a week has gone by.
    assert inbox.subjects == [
        "2 new in your saved searches",
        *["1 new in “zelda”"] * 6,
        "8 new in your saved searches",
    ]


async def test_mail_that_is_refused_is_tried_again(
    store: Services, saved: SavedSearch, digests: DigestService, inbox: Inbox
) -> None:
    await add(store, saved, "a")
    inbox.refuses = True

    refused = await digests.send_due()
    inbox.refuses = False
    sent = await digests.send_due()

    assert (refused, sent) == (DigestReport(0, 1), DigestReport(1, 0))
    assert inbox.subjects == ["1 new in “zelda”"]


async def test_two_runs_at_once_send_one_mail(
    store: Services, saved: SavedSearch, digests: DigestService, inbox: Inbox
) -> None:
    await add(store, saved, "a")

    reports = await asyncio.gather(*(digests.send_due() for _ in range(4)))

    assert sum(report.sent for report in reports) == 1
    assert len(inbox.mails) == 1


@pytest.mark.parametrize("reason", ["off", "disabled", "no address"])
async def test_who_cannot_or_will_not_be_written_to_is_not(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox, reason: str
) -> None:
    await add(store, saved, "a")
    if reason == "off":
        await store.saved_searches.change(user, saved.id, digest=DigestRhythm.OFF)
    elif reason == "disabled":
        await store.accounts.set_active(user.name, is_active=False)
    else:
        async with store.transactions.write() as conn:
            await conn.exec_driver_sql(f"UPDATE users SET email = NULL WHERE id = {user.id}")  # noqa: S608

    assert await digests.send_due() == DigestReport(0, 0)
    assert inbox.mails == []


@pytest.mark.parametrize("is_all", [False, True])
async def test_link_ends_one_or_all(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox, *, is_all: bool
) -> None:
    other = await store.saved_searches.save(user, saved.collection, SearchQuery("mario"))
    await store.saved_searches.change(user, other.id, digest=DigestRhythm.WEEKLY)
    await add(store, saved, "a")
    await digests.send_due()
    token = inbox.mails[0]["List-Unsubscribe"].strip(" <>").rpartition("/")[2]

    asked = await digests.require_stop(token)
    await digests.stop(token, is_all=is_all)
    await digests.stop(token, is_all=is_all)

    rhythms = {one.name: one.digest.value for one in await store.saved_searches.list_of(user)}
    assert asked.name == "zelda"
    assert rhythms == {"zelda": "off", "mario": "off" if is_all else "weekly"}
    with pytest.raises(InvalidInputError):
        await digests.stop("nonsense", is_all=True)


async def test_mail_cannot_be_bent_by_names(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox
) -> None:
    await store.saved_searches.change(user, saved.id, name="x\r\nBcc: all@example.com")
    await store.documents.put(saved.collection, "a", {"title": "Zelda\r\n.\r\nMAIL FROM:<x@example.com> ünïcode"})

    await digests.send_due()

    (mail,) = inbox.mails
    assert mail["Subject"] == "1 new in “x Bcc: all@example.com”"
    assert mail["Bcc"] is None
    assert "  Zelda . MAIL FROM:<x@example.com> ünïcode\r\n" in mail.get_content()


@pytest.mark.parametrize("fault", ["name", "address"])
async def test_one_who_cannot_be_written_to_keeps_no_mail_from_others(
    store: Services, user: User, saved: SavedSearch, digests: DigestService, inbox: Inbox, fault: str
) -> None:
    """As an older livesearch has stored them."""
    other = await store.accounts.add("another reader", "correct horse", role=UserRole.VIEWER, email="b@example.com")
    theirs = await store.saved_searches.save(other, saved.collection, SearchQuery("zelda"))
    await store.saved_searches.change(other, theirs.id, digest=DigestRhythm.DAILY)
    odd = "name = 'a\r\nBcc: all@example.com'" if fault == "name" else "name = name"
    async with store.transactions.write() as conn:
        await conn.exec_driver_sql(f"UPDATE saved_searches SET {odd} WHERE id = {saved.id}")  # noqa: S608
        if fault == "address":
            await conn.exec_driver_sql(f"UPDATE users SET email = '_=@[a' WHERE id = {user.id}")  # noqa: S608
    await add(store, saved, "a")

    report = await digests.send_due()
    await store.accounts.delete(other.name)

    assert report == (DigestReport(1, 1) if fault == "address" else DigestReport(2, 0))
    assert "b@example.com" in [mail["To"] for mail in inbox.mails]
    assert all(mail["Bcc"] is None for mail in inbox.mails)


async def test_server_that_is_away_or_refuses_who_signs_in_is_an_error(mailer: Mailer) -> None:
    def message() -> EmailMessage:
        mail = EmailMessage()
        mail["To"] = "reader@example.com"
        return mail

    for other in (replace(mailer, password="wrong"), replace(mailer, port=1), replace(mailer, security="starttls")):
        with pytest.raises(MailError, match="did not take a mail"):
            await other.send(message())


async def test_without_a_mail_server_the_command_says_what_to_set(store: Services) -> None:
    assert not store.digests.is_possible
    with pytest.raises(ConfigError, match="LIVESEARCH_SMTP_HOST"):
        await store.digests.send_due()
