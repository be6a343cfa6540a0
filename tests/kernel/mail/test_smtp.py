import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from kernel.errors import Misconfigured
from kernel.mail import Mail, MailRefused, NotOneMailbox, send_mail, smtp
from kernel.settings import Settings
from tests.kernel.mail.mail_servers import MailServer
from tests.kernel.outgoing.servers import certificate

MAIL = Mail(
    to="anna@example.com", subject="Kod", text="1234\n", html="<b>1234</b>", message_id=UUID(int=7)
)


@pytest.fixture
def server() -> Iterator[Callable[..., MailServer]]:
    """`server(…)`: a mail server for the length of the test."""
    started: list[MailServer] = []

    def start(**options: Any) -> MailServer:
        started.append(MailServer(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def send(server: MailServer, mail: Mail = MAIL, **options: Any) -> None:
    send_mail(Settings(smtp_host="localhost", smtp_port=server.port, **options), mail)


def test_a_mail_arrives_with_its_one_recipient(server):
    one = server()

    send(one, mail_from="Klucznik <no-reply@id.example>")

    (envelope,) = one.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@id.example", ["anna@example.com"])
    assert b"Message-ID: <00000000-0000-0000-0000-000000000007@id.example>" in envelope.content


def test_a_line_that_begins_with_from_arrives_as_it_was_written(server):
    one = server()

    send(one, Mail(**{**MAIL.__dict__, "text": "From Warsaw\n.\nFrom Gdynia\n"}))

    assert b"\r\nFrom Warsaw\r\n.\r\nFrom Gdynia\r\n" in one.mails[0].content


@pytest.mark.security("3.4")
def test_a_list_of_recipients_is_not_even_tried(server):
    one = server()

    with pytest.raises(NotOneMailbox):
        send(one, Mail(**{**MAIL.__dict__, "to": "anna@example.com,bob@example.com"}))

    assert one.mails == []


def test_starttls_and_sign_in(server, tmp_path):
    context, trusted = certificate(tmp_path, "localhost")
    one = server(starttls=context, login=("klucznik", "s3cret"))

    send(
        one,
        smtp_security="starttls",
        smtp_username="klucznik",
        smtp_password="s3cret",
        outgoing_ca_file=trusted,
    )

    assert one.logins == [(b"klucznik", b"s3cret")]
    assert len(one.mails) == 1


def test_tls_from_the_beginning(server, tmp_path):
    context, trusted = certificate(tmp_path, "localhost")
    one = server(tls=context)

    send(one, smtp_security="tls", outgoing_ca_file=trusted)

    assert len(one.mails) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_that_can_not_prove_who_it_is_gets_no_mail(server, tmp_path, security):
    context, _ = certificate(tmp_path, "localhost")
    one = server(**{security: context})

    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        send(one, smtp_security=security)

    assert one.mails == []


def test_a_server_without_tls_gets_no_mail_where_tls_is_set(server):
    one = server()

    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(one, smtp_security="starttls")

    assert one.mails == []


def test_a_password_is_not_sent_in_clear_over_a_network(server, monkeypatch):
    one = server(login=("klucznik", "s3cret"))
    # The same server by a name that does not say «this machine».
    monkeypatch.setattr("kernel.mail.smtp._LOOPBACK", frozenset())

    with pytest.raises(Misconfigured, match="SMTP_SECURITY"):
        send(one, smtp_username="klucznik", smtp_password="s3cret")

    assert one.logins == []


@pytest.mark.parametrize("answer", ["550 no such mailbox", "553 no", "551 moved", "556 no mail"])
def test_a_mailbox_that_is_not_there_is_given_up(server, answer):
    with pytest.raises(MailRefused):
        send(server(refuse=answer))


@pytest.mark.parametrize("answer", ["450 later", "451 busy", "552 full", "554 not from you"])
def test_what_may_pass_is_tried_again(server, answer):
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(server(refuse=answer))


def test_nobody_listening_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = Settings(smtp_port=listener.getsockname()[1])

    with pytest.raises(OSError):  # noqa: PT011 (whichever the system says)
        send_mail(settings, MAIL)


@pytest.mark.security("18.1")
def test_a_silent_server_is_left_in_time(monkeypatch):
    monkeypatch.setattr("kernel.mail.smtp._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()

        with pytest.raises(OSError):  # noqa: PT011 (whichever the system says)
            send_mail(Settings(smtp_port=silent.getsockname()[1]), MAIL)

    # Whoever is still waiting after this long waits for what production waits for, or for ever.
    assert time.monotonic() - started < 9


@pytest.mark.security("18.1")
def test_nobody_waits_longer_than_ten_seconds_for_a_mail_server():
    assert smtp._SECONDS == 10
