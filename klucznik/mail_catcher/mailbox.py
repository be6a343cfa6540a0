"""The caught mails: taken apart once, kept in memory, the oldest forgotten first."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count

_MOST_MAILS = 2_000
_MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class CaughtMail:
    """One mail to one recipient."""

    number: int
    to: str
    sender: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    message_id: str

    @property
    def size(self) -> int:
        """Roughly what it takes in memory."""
        return len(self.text) + len(self.html) + 500


class Mailbox:
    """All mails that were caught. Threads may share it."""

    def __init__(self, *, most: int = _MOST_MAILS, most_bytes: int = _MOST_BYTES) -> None:
        self._lock = threading.Lock()
        self._mails: deque[CaughtMail] = deque()
        self._numbers = count(1)
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    def catch(
        self, content: bytes, *, sender: str, recipients: Sequence[str], now: datetime
    ) -> None:
        """Keep a mail, once for each recipient."""
        message = message_from_bytes(content, policy=default)
        text, html = _part(message, "plain"), _part(message, "html")
        with self._lock:
            for recipient in recipients:
                mail = CaughtMail(
                    number=next(self._numbers),
                    to=recipient,
                    sender=sender,
                    subject=str(message.get("Subject", "")),
                    text=text,
                    html=html,
                    sent_at=now,
                    message_id=str(message.get("Message-ID", "")).strip(),
                )
                self._mails.appendleft(mail)
                self._bytes += mail.size
            while len(self._mails) > self._most or self._bytes > self._most_bytes:
                self._bytes -= self._mails.pop().size

    def newest_first(self, to: str | None = None) -> list[CaughtMail]:
        """All mails, or those to one address."""
        with self._lock:
            mails = list(self._mails)
        if to is None:
            return mails
        return [mail for mail in mails if mail.to.casefold() == to.strip().casefold()]

    def find(self, number: int) -> CaughtMail | None:
        """One mail by its number, if it is still there."""
        return next((mail for mail in self.newest_first() if mail.number == number), None)

    def clear(self) -> None:
        """Forget all mails."""
        with self._lock:
            self._mails.clear()
            self._bytes = 0


def _part(message: EmailMessage, kind: str) -> str:
    """The text or the HTML of a mail, however it was wrapped; empty where there is none."""
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError):
        # A character set that nobody knows: better odd letters than no mail.
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return content.replace("\r\n", "\n")
