"""A mail as it goes over the wire: headers by the library, one recipient, nothing smuggled in."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

import idna

from kernel.outbox import Undeliverable

_LONGEST_SUBJECT = 200
_LONGEST_ADDRESS = 254
# A dot-atom (RFC 5322 §3.2.3): quotes, comments, groups and lists have no place here.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(\.{_ATOM})*")


class NotOneMailbox(Undeliverable):
    """The recipient is a list, a header, or nothing that mail can be sent to."""


@dataclass(frozen=True)
class Mail:
    """One mail to one mailbox. The same `message_id` means the same mail, sent again."""

    to: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    message_id: UUID
    locale: str = "pl"


def mailbox(address: str) -> Address:
    """The one mailbox that this names; raises NotOneMailbox.

    >>> mailbox("anna@bücher.example").addr_spec
    'anna@xn--bcher-kva.example'
    """
    local, _, domain = address.rpartition("@")
    if len(address) > _LONGEST_ADDRESS or not _LOCAL_PART.fullmatch(local):
        raise NotOneMailbox("the recipient is not one plain address")
    try:
        return Address(username=local, domain=idna.encode(domain, uts46=True).decode())
    except (idna.IDNAError, ValueError) as malformed:
        raise NotOneMailbox("the recipient is not one plain address") from malformed


def sender(mail_from: str) -> Address:
    """The sender that the operator set."""
    name, address = parseaddr(mail_from)
    return Address(display_name=name, addr_spec=address)


def compose(mail: Mail, *, mail_from: str, now: datetime) -> EmailMessage:
    """The message with its headers, a text part and an HTML part."""
    origin = sender(mail_from)
    # In ASCII: whether a server takes more (8BITMIME) would have to be asked each time.
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = origin
    message["To"] = mailbox(mail.to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{mail.message_id}@{origin.domain}>"
    # No answering machine shall answer, and no loop begin (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    # Only now: setting the content drops all headers about the content.
    message["Content-Language"] = mail.locale
    return message


def one_line(subject: str) -> str:
    """A subject in one line, without anything that could begin another header.

    >>> one_line(" Your code \\r\\nBcc: all@example.com ")
    'Your code Bcc: all@example.com'
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in subject)
    return " ".join(printable.split())[:_LONGEST_SUBJECT]
