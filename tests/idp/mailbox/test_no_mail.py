from datetime import UTC, datetime

import pytest

from idp.mailbox import no_mail
from idp.mailbox.no_mail import Hints
from kernel.i18n import speaking
from tests import programs
from tests.conftest import MakeDatabase
from tests.idp.visitor import Visitor, a_person, an_authenticator

ANNA = "anna@example.com"


@pytest.mark.product("ID-6")
@pytest.mark.parametrize("path", ["/register/code", "/reset/code", "/sign-in/code", "lost"])
def test_every_page_that_waits_for_a_mail_says_what_may_be_wrong(visitor, path):
    person_id = a_person()
    if path == "lost":
        an_authenticator(person_id, now=datetime.now(UTC))
        visitor.sign_in(ANNA).get(f"/lost-factors?flow={visitor.flow}")
        visitor.submit("/lost-factors/code/send")
    elif path == "/sign-in/code":
        visitor.sign_in(ANNA)
    else:
        start = path.removesuffix("/code")
        visitor.get(start).submit(start, email=ANNA)

    assert "spam folder" in visitor.words
    assert "no-reply@klucznik.localhost" in visitor.words
    assert "Ask the support office" in visitor.words
    assert "<details" in visitor.text
    assert visitor.form(f"{visitor.path.partition('?')[0]}/send")
    assert visitor.words.count(ANNA) == 1


@pytest.mark.parametrize(
    ("support", "is_mailbox"),
    [("help@example.com", True), ("22 123 45 67, help@example.com", False), ("", False)],
)
def test_a_mailbox_of_the_support_office_can_be_pressed(support, is_mailbox):
    assert Hints("a@example.com", 5, support).is_mailbox is is_mailbox


def test_the_page_names_the_support_office_of_this_installation(make_database: MakeDatabase):
    for app in programs.identity(make_database, support_contact="help@example.com"):
        visitor = Visitor(app).get("/reset")
        visitor.submit("/reset", email=ANNA)

        assert 'href="mailto:help@example.com"' in visitor.text


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 minute"), (61, "2 minutes")])
def test_a_started_minute_is_a_minute(identity_app, seconds, words):
    with identity_app.test_request_context(), speaking("en"):
        assert words in no_mail.mails_wait(seconds)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.11")
def test_after_ten_codes_in_an_hour_whoever_knows_the_password_is_told_to_wait(
    identity_app, mailroom
):
    a_person()
    visitor = Visitor(identity_app).sign_in(ANNA)
    for _ in range(9):
        visitor.submit("/sign-in/code/send")
    assert "Another one can go in 60 minutes" in visitor.words

    refused = visitor.post(f"/sign-in/code/send?flow={visitor.flow}")
    assert refused.headers["Location"].startswith("/sign-in/code?")
    elsewhere = Visitor(identity_app).sign_in(ANNA)

    assert "Another one can go in 60 minutes" in elsewhere.words
    assert "spam folder" in elsewhere.words
    assert "/sign-in/code/send" not in elsewhere.text
    assert len(mailroom.deliver()) == 10
