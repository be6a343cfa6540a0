"""The pages that registration and reset have in common; what each does with the proof is its own."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.idp.strangers import answer_of, people_of_all_kinds
from tests.idp.visitor import Visitor, a_person

ANNA = "anna@example.com"
both = pytest.mark.parametrize("path", ["/register", "/reset"])


def asked(visitor, path, email=ANNA):
    return visitor.get(path).submit(path, email=email)


def a_mailbox(path):
    """For a reset there has to be somebody, or the mail has no code."""
    if path == "/reset":
        a_person(ANNA)


@both
@pytest.mark.product("ID-1")
def test_address_code_and_on_to_the_password(visitor, mailroom, path):
    a_mailbox(path)

    asked(visitor, path)
    assert visitor.path.startswith(f"{path}/code?")
    visitor.submit(f"{path}/code", code=mailroom.code_to(ANNA))

    assert visitor.path.startswith(f"{path}/password?")


@both
def test_what_is_no_address_is_told_at_the_field(visitor, path):
    asked(visitor, path, email="anna")

    assert visitor.status == 422
    assert "This is not an e-mail address" in visitor.words


@both
def test_whoever_comes_back_finds_the_address_as_typed(visitor, path):
    asked(visitor, path)

    visitor.get(f"{path}?flow={visitor.flow}")

    assert f'value="{ANNA}"' in visitor.text


@both
@pytest.mark.security("2.7")
def test_without_an_address_the_page_of_the_code_leads_to_it(visitor, path):
    visitor.get("/account")
    flow = visitor.flow

    visitor.get(f"{path}/code?flow={flow}")

    assert visitor.path.startswith(f"{path}?")
    for step in ("code", "code/send"):
        answer = visitor.post(f"{path}/{step}?flow={flow}", code="00000000")
        assert answer.headers["Location"].startswith(f"{path}?")


@both
@pytest.mark.security("3.2")
def test_a_link_asks_first_and_is_spent_by_the_button(identity_app, visitor, mailroom, path):
    a_mailbox(path)
    asked(visitor, path)
    link = mailroom.link_to(ANNA)
    elsewhere = Visitor(identity_app)

    elsewhere.get(link)
    assert elsewhere.path == f"{path}/confirm"
    assert elsewhere.response.headers["Referrer-Policy"] == "no-referrer"
    elsewhere.submit(f"{path}/confirm")
    assert elsewhere.path.startswith(f"{path}/password?")

    assert Visitor(identity_app).get(link).status == 400
    assert Visitor(identity_app).get(f"{path}/confirm").status == 400


@both
@pytest.mark.security("3.1")
def test_a_link_that_lapses_on_the_page_is_not_spent(identity_app, visitor, mailroom, path):
    a_mailbox(path)
    asked(visitor, path)
    visitor.get(mailroom.link_to(ANNA))

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        visitor.get(f"{path}/confirm")

    assert visitor.status == 400
    assert "This link does not work any more" in visitor.words


@both
@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
def test_registration_and_reset_tell_nobody_who_has_an_id(identity_app, path):
    answers = []
    for email in people_of_all_kinds():
        visitor = asked(Visitor(identity_app), path, email)
        first = answer_of(visitor)
        visitor.submit(f"{path}/code", code="00000000")
        wrong = answer_of(visitor)
        visitor.submit(f"{path}/code/send")
        answers.append((first, wrong, answer_of(visitor)))

    assert all(answer == answers[0] for answer in answers)


@both
@pytest.mark.product("ID-4")
@pytest.mark.security("3.11")
def test_past_the_limit_the_answer_stays_the_same_and_has_named_the_limit(
    identity_app, mailroom, path
):
    visitor = asked(Visitor(identity_app), path)
    visitor.submit(f"{path}/code/send")
    within = answer_of(visitor)
    for _ in range(5):
        visitor.submit(f"{path}/code/send")

    assert answer_of(visitor) == within
    assert "At most 5 such mails an hour go to one address." in visitor.words
    assert len(mailroom.deliver()) == 5


@both
def test_the_address_is_said_once_and_can_be_changed(visitor, path):
    asked(visitor, path)

    assert visitor.words.count(ANNA) == 1
    assert visitor.text.count(f'href="{path}?flow={visitor.flow}"') == 2
