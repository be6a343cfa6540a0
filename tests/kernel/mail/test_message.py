from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.mail import Mail, NotOneMailbox
from kernel.mail.message import compose, mailbox, one_line
from kernel.outbox import Undeliverable
from tests.conftest import NOON

MAIL = Mail(
    to="anna@example.com",
    subject="Potwierdź adres",
    text="Cześć!\n",
    html="<p>Cześć!</p>",
    message_id=UUID(int=7),
)
SENDER = "Klucznik <no-reply@id.example>"


def composed(**changes) -> EmailMessage:
    """The mail as its receiver reads it."""
    mail = Mail(**{**MAIL.__dict__, **changes})
    sent = compose(mail, mail_from=SENDER, now=NOON).as_bytes()
    received = message_from_bytes(sent, policy=SMTP)
    assert isinstance(received, EmailMessage)
    return received


def test_a_mail_has_a_text_and_an_html_part_of_the_same():
    message = composed()

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [str(part.get_content()).strip() for part in message.iter_parts()] == [
        "Cześć!",
        "<p>Cześć!</p>",
    ]


def test_a_mail_in_polish_passes_every_server():
    assert compose(MAIL, mail_from=SENDER, now=NOON).as_bytes().isascii()


def test_a_mail_says_who_sent_it_when_and_in_which_language():
    message = composed()

    assert message["From"] == SENDER
    assert message["To"] == "anna@example.com"
    assert message["Subject"] == "Potwierdź adres"
    assert message["Date"] == "Mon, 01 Jun 2026 12:00:00 +0000"
    assert message["Content-Language"] == "pl"


@pytest.mark.security("18.3")
def test_the_same_mail_sent_again_has_the_same_id():
    first, second = composed(), composed(subject="again")

    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"] == "<00000000-0000-0000-0000-000000000007@id.example>"


def test_no_answering_machine_shall_answer():
    assert composed()["Auto-Submitted"] == "auto-generated"


@pytest.mark.security("15.7")
@pytest.mark.parametrize("line", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\0"])
def test_nothing_that_a_subject_says_becomes_a_header(line):
    message = composed(subject=f"Hello{line}Bcc: everybody@example.com")

    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: everybody@example.com"


@given(st.text(max_size=500))
def test_any_subject_is_one_line(subject):
    line = one_line(subject)

    assert line.isprintable()
    assert len(line) <= 200
    assert compose(
        Mail(**{**MAIL.__dict__, "subject": subject}), mail_from=SENDER, now=NOON
    ).as_bytes()


@pytest.mark.security("3.4", "15.7")
@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@@example.com",
            "anna@example.com,bob@b.example",
        ),
        *("anna@example.com;bob@b.example", "anna@example.com bob@b.example"),
        *(
            "Anna <anna@example.com>",
            "<anna@example.com>",
            "anna@example.com\r\nBcc: bob@b.example",
        ),
        *("anna\0@example.com", '"anna"@example.com', "anna(comment)@example.com"),
        *("group: anna@example.com;", "anna@[127.0.0.1]", "żółw@example.com", "anna@exa mple.com"),
        *("anna@..", "anna@-a-.example", "anna\\@example.com", "a" * 250 + "@example.com"),
    ],
)
def test_a_mail_goes_to_exactly_one_plain_address(address):
    with pytest.raises(NotOneMailbox):
        mailbox(address)


def test_an_address_that_is_none_is_not_tried_again():
    assert issubclass(NotOneMailbox, Undeliverable)


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("anna@example.com", "anna@example.com"),
        ("anna.maria+crm_1@sub.example.com", "anna.maria+crm_1@sub.example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_spelled_as_servers_read_it(address, spelled):
    assert mailbox(address).addr_spec == spelled
    assert composed(to=address)["To"] == spelled
