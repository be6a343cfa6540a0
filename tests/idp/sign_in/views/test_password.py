import re

import pytest

from idp.credentials.hashing import Hashing
from kernel.errors import Overloaded
from tenants.database import db
from tests.idp.strangers import answer_of, people_of_all_kinds
from tests.idp.visitor import PASSWORD, Visitor, a_person
from tests.statements import asked_of

ANNA = "anna@example.com"


def test_a_mistake_is_said_at_the_field_and_the_address_stays(visitor):
    a_person()

    visitor.sign_in(ANNA, "wrong")

    assert visitor.status == 422
    assert ANNA in visitor.words
    assert "Address and password do not match" in visitor.words
    assert 'aria-invalid="true"' in visitor.text
    assert "wrong" not in re.findall(r'value="([^"]*)"', visitor.text)


@pytest.mark.security("2.1")
@pytest.mark.parametrize("email", [ANNA, "nobody@example.com"])
def test_who_guesses_too_often_is_told_to_wait(identity_app, email):
    a_person()
    for _ in range(5):
        Visitor(identity_app).sign_in(email, "wrong")

    visitor = Visitor(identity_app).sign_in(email)

    assert (visitor.status, visitor.response.headers["Retry-After"]) == (429, "30")
    assert "Try again in 1 minute" in visitor.words


@pytest.mark.security("2.2")
def test_whoever_is_signed_in_notices_nothing_of_the_guessing(identity_app, visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))
    for _ in range(7):
        Visitor(identity_app).sign_in(ANNA, "wrong")

    assert visitor.is_signed_in()
    visitor.submit("/sign-out").sign_in(ANNA)
    assert visitor.path.startswith("/sign-in/code")


@pytest.mark.security("2.3")
def test_an_unknown_place_is_counted_and_not_passed_over(identity_app):
    a_person()
    for _ in range(5):
        Visitor(identity_app, address="not an address").sign_in(ANNA, "wrong")

    assert Visitor(identity_app, address="").sign_in(ANNA).status == 429


@pytest.mark.security("1.6")
def test_a_busy_program_says_when_to_come_back(visitor, monkeypatch):
    a_person()

    def busy(*_):
        raise Overloaded("busy")

    monkeypatch.setattr(Hashing, "verify", busy)
    visitor.sign_in(ANNA)

    assert (visitor.status, visitor.response.headers["Retry-After"]) == (503, "2")


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("tries", [1, 6])
def test_a_wrong_password_tells_nobody_who_has_an_id(identity_app, tries):
    answers = []
    for email in people_of_all_kinds():
        for _ in range(tries):
            visitor = Visitor(identity_app).sign_in(email, "wrong")
        answers.append(answer_of(visitor))

    assert all(answer == answers[0] for answer in answers)


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/reset"])
def test_known_and_unknown_addresses_cost_the_same_statements(identity_app, path):
    counts = []
    for email in people_of_all_kinds():
        visitor = Visitor(identity_app).get(path)
        typed = {"password": "wrong"} if path == "/sign-in" else {}
        with asked_of(db.engine) as asked:
            visitor.submit(path, email=email, **typed)
        counts.append(asked.kinds)

    assert all(statements == counts[0] for statements in counts)


@pytest.mark.security("6.9")
def test_after_a_password_comes_a_303_and_never_a_307(visitor):
    a_person()
    visitor.get("/account").submit("/sign-in", email=ANNA)

    response = visitor.post(visitor.form("/sign-in").action, password=PASSWORD)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/authorize?flow=")
