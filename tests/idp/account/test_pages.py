from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idp.credentials import totp
from tenants.database import db
from tests.idp.visitor import PASSWORD, Visitor, a_person, an_authenticator

ANNA = "anna@example.com"


@pytest.fixture
def me(identity_app, mailroom):
    a_person()
    visitor = Visitor(identity_app).sign_in(ANNA)
    return visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")


def test_after_signing_in_one_is_where_one_wanted_to_be(identity_app, mailroom):
    a_person()
    visitor = Visitor(identity_app).get("/account/sessions")
    visitor.submit("/sign-in", email=ANNA).submit("/sign-in/password", password=PASSWORD)

    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))

    assert visitor.path == "/account/sessions"


@pytest.mark.security("4.6")
def test_a_button_that_asked_for_a_proof_is_not_pressed_by_it(me):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        me.get("/account/sessions").submit("/account/sessions/end-others")
        me.submit("/sign-in/password", password=PASSWORD)

        assert me.path == "/account/sessions" or me.path == "/account/security"
        assert "signed out on" not in me.words


def test_the_shell_names_the_person(me):
    me.get("/account")

    assert ANNA in me.words
    assert "Login security" in me.words


@pytest.mark.security("4.6")
@pytest.mark.parametrize(
    "path", ["/account/authenticator", "/account/recovery-codes", "/account/sessions"]
)
def test_on_a_remembered_device_the_password_alone_changes_no_factor(identity_app, path):
    app = an_authenticator(a_person(), now=datetime.now(UTC))
    visitor = Visitor(identity_app).sign_in(ANNA)
    visitor.submit("/sign-in/code", code=app.now(), remember="y")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        visitor.sign_in(ANNA)
        assert visitor.path == "/account"
        if path == "/account/sessions":
            visitor.get(path).post("/account/sessions/end-others")
            visitor.get(visitor.post("/account/sessions/end-others").headers["Location"])
        else:
            visitor.get(path)
        assert visitor.path.startswith("/sign-in/code")

        visitor.submit("/sign-in/code", code=app.now())

        assert visitor.path in {path, "/account/security"}


@pytest.mark.security("4.6")
def test_on_a_remembered_device_the_password_alone_does_not_remove_the_app(identity_app):
    person_id = a_person()
    app = an_authenticator(person_id, now=datetime.now(UTC))
    visitor = Visitor(identity_app).sign_in(ANNA)
    visitor.submit("/sign-in/code", code=app.now(), remember="y")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        visitor.sign_in(ANNA)
        answer = visitor.post("/account/authenticator/remove")

    assert answer.headers["Location"].startswith("/sign-in/code")
    with db.reading() as session:
        assert totp.is_enrolled(session, person_id=person_id)


@pytest.mark.security("4.6")
@pytest.mark.parametrize("path", ["/account/authenticator", "/account/passkeys/add"])
def test_on_a_remembered_device_the_password_alone_adds_no_first_factor(
    identity_app, mailroom, path
):
    """Else whoever has the device and the password would have two factors a minute later."""
    a_person()
    visitor = Visitor(identity_app).sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        visitor.sign_in(ANNA)
        assert visitor.path == "/account"
        visitor.get(path)
        assert visitor.path.startswith("/sign-in/code")

        visitor.submit("/sign-in/code/send")
        visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))

        assert visitor.path == path
