from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.idp.visitor import PASSWORD, Visitor, a_person

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
