import pytest
from flask.testing import FlaskClient

from klucznik.mail_catcher.mailbox import Mailbox
from klucznik.mail_catcher.server import create_pages
from tests.conftest import NOON

HOSTILE = "<script>alert(1)</script>"
MAIL = (
    f"Subject: {HOSTILE}\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    f"--b\r\nContent-Type: text/plain\r\n\r\nOpen http://localhost:9000/x?token=1 {HOSTILE}\r\n"
    f"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>{HOSTILE}\r\n--b--\r\n"
).encode()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def client(mailbox: Mailbox) -> FlaskClient:
    app = create_pages(mailbox, port=9003)
    return app.test_client()


def catch(mailbox: Mailbox, *to: str) -> int:
    mailbox.catch(
        MAIL, sender="no-reply@id.example", recipients=to or ("anna@b.example",), now=NOON
    )
    return mailbox.newest_first()[0].number


def get(client: FlaskClient, path: str):
    return client.get(path, base_url="http://localhost:9003")


def test_an_empty_inbox_says_what_would_be_here(client):
    page = get(client, "/")

    assert page.status_code == 200
    assert "Nie ma jeszcze wiadomości" in page.text


def test_the_inbox_lists_the_newest_first(client, mailbox):
    catch(mailbox, "anna@b.example")
    catch(mailbox, "bob@b.example")

    page = get(client, "/").text
    only_anna = get(client, "/?to=anna@b.example").text

    assert page.index("bob@b.example") < page.index("anna@b.example")
    assert "bob@b.example" not in only_anna


def test_scripts_read_the_mails_as_json(client, mailbox):
    catch(mailbox, "anna@b.example")
    catch(mailbox, "bob@b.example")

    everything = get(client, "/messages.json").json
    to_anna = get(client, "/messages.json?to=ANNA@b.example").json

    assert [mail["to"] for mail in everything] == ["bob@b.example", "anna@b.example"]
    (mail,) = to_anna
    assert mail["subject"] == HOSTILE
    assert mail["text"].startswith("Open http://localhost:9000/x?token=1")
    assert mail["html"].startswith("<p>Hello</p>")
    assert mail["sent_at"] == NOON.isoformat()


def test_scripts_can_empty_the_inbox(client, mailbox):
    catch(mailbox)

    answer = client.delete("/messages.json", base_url="http://localhost:9003")

    assert answer.status_code == 204
    assert get(client, "/messages.json").json == []


@pytest.mark.security("14.1")
def test_a_mail_is_shown_as_text_and_links_of_its_text_can_be_followed(client, mailbox):
    page = get(client, f"/mails/{catch(mailbox)}").text

    assert HOSTILE not in page
    assert 'href="http://localhost:9000/x?token=1"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


@pytest.mark.security("14.2")
def test_the_html_of_a_mail_can_do_nothing(client, mailbox):
    answer = get(client, f"/mails/{catch(mailbox)}/html")

    policy = answer.headers["Content-Security-Policy"]
    assert "<p>Hello</p>" in answer.text
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize("path", ["/mails/7", "/mails/7/html", "/mails/x"])
def test_a_mail_that_is_not_there_is_not_found(client, path):
    assert get(client, path).status_code == 404


def test_another_name_is_not_answered(client):
    assert client.get("/messages.json", base_url="http://evil.example").status_code == 400
