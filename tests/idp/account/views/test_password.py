from datetime import UTC, datetime

import pytest

from idp.events import IdpEvent
from idp.sessions import service as sessions
from idp.sign_in import throttle
from kernel.limits import Refusal
from kernel.limits.policies import NEVER
from tests.idp.account.views.visits import ANNA, change_password, events_of
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, an_authenticator


@pytest.mark.product("ID-8")
@pytest.mark.security("1.7")
def test_a_password_change_asks_for_the_current_one(me):
    change_password(me, current="wrong")

    assert me.status == 422
    assert "This is not your current password" in me.words


@pytest.mark.product("ID-8")
@pytest.mark.security("1.7")
@pytest.mark.security("5.5")
def test_a_password_change_ends_the_other_sessions_and_what_is_remembered(me, elsewhere, mailroom):
    change_password(me)

    assert me.path == "/account/security"
    assert me.is_signed_in()
    assert not elsewhere.is_signed_in()
    elsewhere.sign_in(ANNA, NEW_PASSWORD)
    assert elsewhere.path.startswith("/sign-in/code")


@pytest.mark.product("ID-7")
@pytest.mark.product("ID-8")
@pytest.mark.security("1.7")
@pytest.mark.security("2.8")
def test_a_password_change_is_mailed_and_noted(me, mailroom, person_id):
    change_password(me)

    assert mailroom.to(ANNA).subject == "Your password was changed"
    assert events_of(person_id)[0] == IdpEvent.PASSWORD_CHANGED


@pytest.mark.security("1.7")
def test_with_an_app_a_password_change_asks_for_its_code_too(me, person_id):
    app = an_authenticator(person_id, now=datetime.now(UTC))

    change_password(me, code="000000")
    assert "This code is not right" in me.words
    change_password(me, code=app.now())

    assert me.path == "/account/security"


@pytest.mark.security("1.4")
@pytest.mark.parametrize("new", ["short", "Polska123456", "anna.example1"])
def test_a_new_password_that_everybody_could_guess_is_refused(me, new):
    change_password(me, new=new)

    assert me.status == 422


def test_guessing_the_current_password_has_an_end(me):
    for _ in range(11):
        change_password(me, current="wrong")

    assert me.status == 429
    assert int(me.response.headers["Retry-After"]) > 0


def test_whom_no_waiting_helps_is_told_what_does(me, monkeypatch):
    never = Refusal(retry_at=NEVER, count=100)
    monkeypatch.setattr(throttle, "take", lambda *_, **__: never)

    change_password(me, current="wrong")

    assert me.status == 429
    assert "Sign out, and set a new password" in me.words


@pytest.mark.security("5.3")
def test_after_a_change_of_password_a_copied_cookie_opens_nothing(identity_app, me):
    copied = me.cookie(sessions.COOKIE)

    me.get("/account/password").submit(
        "/account/password", password=PASSWORD, new_password=NEW_PASSWORD
    )

    assert me.is_signed_in()
    thief = Visitor(identity_app)
    thief.client.set_cookie(sessions.COOKIE, copied)
    assert not thief.is_signed_in()
