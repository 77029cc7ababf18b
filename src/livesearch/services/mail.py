"""Mail: messages are handed to the operator's mail server, one connection a message, in a thread."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from livesearch.config import Settings
from livesearch.errors import MailError

# Seconds for each step of talking to the server.
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Mailer:
    """Hands messages over.

    Attributes:
        sender: The address they come from.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    user: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Mailer | None":
        """The operator's; None where there is none."""
        if settings.smtp_host is None or settings.smtp_sender is None:
            return None
        return cls(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_sender,
            settings.smtp_user,
            settings.smtp_password,
        )

    async def send(self, message: EmailMessage) -> None:
        """Hand over a message; its sender is set here.

        Raises:
            MailError: The server does not answer, or does not take it.
        """
        message["From"] = self.sender
        try:
            await asyncio.to_thread(self._send, message)
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(f"The mail server {self.host}:{self.port} did not take a mail. {error}") from error

    def _send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
            if self.security == "tls"
            else smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        ) as server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user is not None:
                server.login(self.user, self.password or "")
            server.send_message(message)
