"""Handing a mail to the operator's mail server."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from kernel import clock
from kernel.errors import Misconfigured
from kernel.mail.message import Mail, compose, mailbox, sender
from kernel.outbox import Undeliverable
from kernel.settings import Settings

_SECONDS = 10
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# The mailbox is not there, or takes nothing: what the server says for good about this recipient.
# Other refusals (relaying, sign-in, policy) may be the operator's to mend, and are tried again.
_NO_SUCH_MAILBOX = frozenset({550, 551, 553, 556})


class MailRefused(Undeliverable):
    """The mail server knows the mailbox as one that takes no mail."""


def send_mail(settings: Settings, mail: Mail) -> None:
    """Send one mail, or raise: MailRefused and NotOneMailbox for good, anything else for now."""
    message = compose(mail, mail_from=settings.mail_from, now=clock.now())
    to, origin = mailbox(mail.to).addr_spec, sender(settings.mail_from).addr_spec
    with mail_server(settings) as server:
        try:
            # Not `send_message`, which writes «>From » where a line of the text begins with «From ».
            server.sendmail(origin, [to], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            codes = {code for code, _ in refused.recipients.values()}
            if codes <= _NO_SUCH_MAILBOX:
                raise MailRefused("no such mailbox") from refused
            raise


@contextmanager
def mail_server(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A connection to the operator's mail server, as safe as the settings say, and signed in."""
    with _connect(settings, sender(settings.mail_from).domain) as server:
        if settings.smtp_security == "starttls":
            server.starttls(context=_tls(settings.outgoing_ca_file))
        if settings.smtp_username:
            _refuse_open_password(settings)
            server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        yield server


def _connect(settings: Settings, our_name: str) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        context = _tls(settings.outgoing_ca_file)
        return smtplib.SMTP_SSL(
            host, port, local_hostname=our_name, timeout=_SECONDS, context=context
        )
    # Without a name of our own smtplib would look this machine's up, for as long as DNS takes.
    return smtplib.SMTP(host, port, local_hostname=our_name, timeout=_SECONDS)


def _refuse_open_password(settings: Settings) -> None:
    if settings.smtp_security == "none" and settings.smtp_host not in _LOOPBACK:
        raise Misconfigured("a mail password needs KLUCZNIK_SMTP_SECURITY starttls or tls")


@lru_cache(maxsize=4)
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context
