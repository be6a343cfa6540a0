from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from idp.events import IdpEvent
from idp.sessions import service as sessions
from tests.idp.account.views.visits import ANNA, events_of, signed_in
from tests.idp.visitor import Visitor, a_person


@pytest.mark.product("ID-7")
@pytest.mark.security("5.6")
def test_people_see_and_end_their_sessions(me, elsewhere):
    me.get("/account/sessions")
    assert "192.0.2.99" in me.words
    assert "Firefox, Linux" in me.words

    me.submit("/account/sessions/0")

    assert "That device is signed out" in me.words
    assert not elsewhere.is_signed_in()
    assert me.is_signed_in()


@pytest.mark.security("5.6")
def test_ending_a_session_takes_a_fresh_proof(me, elsewhere):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        me.get("/account/sessions").submit("/account/sessions/0")
        assert me.path.startswith("/sign-in/password")
        assert elsewhere.is_signed_in()


@pytest.mark.product("ID-7")
@pytest.mark.security("5.6")
def test_all_other_sessions_end_at_once(me, elsewhere):
    me.get("/account/sessions").submit("/account/sessions/end-others")

    assert "signed out on 1 other device" in me.words
    assert not elsewhere.is_signed_in()
    assert me.is_signed_in()


@pytest.mark.product("ID-7")
@pytest.mark.security("5.6")
def test_signing_out_on_all_devices_ends_this_one_too(identity_app, me, elsewhere, person_id):
    copied = me.cookie(sessions.COOKIE)

    me.get("/account/security").submit("/account/sessions/end-all")

    assert me.path.startswith("/sign-in")
    assert "You are signed out on all devices" in me.words
    assert not me.is_signed_in()
    assert not elsewhere.is_signed_in()
    elsewhere.sign_in(ANNA)
    assert elsewhere.path.startswith("/sign-in/code")
    thief = Visitor(identity_app)
    thief.client.set_cookie(sessions.COOKIE, copied)
    assert not thief.is_signed_in()
    assert IdpEvent.SESSIONS_ENDED in events_of(person_id)


@pytest.mark.security("5.7")
def test_signing_out_on_all_devices_clears_up_in_the_browser(me):
    me.get("/account/security")

    response = me.post("/account/sessions/end-all")

    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert response.headers["Location"].endswith("/sign-in")


@pytest.mark.security("5.6")
def test_signing_out_on_all_devices_takes_a_fresh_proof(me, elsewhere):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        me.get("/account/security").submit("/account/sessions/end-all")

        assert me.path.startswith("/sign-in/password")
        assert elsewhere.is_signed_in()


@pytest.mark.security("12.2")
@pytest.mark.parametrize("what", ["sessions/{}/end", "devices/{}/forget"])
def test_what_belongs_to_somebody_else_is_not_found(identity_app, me, mailroom, what):
    a_person("bert@example.com")
    bert = Visitor(identity_app).sign_in("bert@example.com")
    bert.submit("/sign-in/code", code=mailroom.code_to("bert@example.com"), remember="y")
    theirs = signed_in(bert)
    id_ = theirs.session_id if what.startswith("sessions") else theirs.device_id
    me.get("/account/sessions")

    foreign = me.post(f"/account/{what.format(id_)}")
    missing = me.post(f"/account/{what.format(uuid4())}")

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert bert.is_signed_in()


@pytest.mark.product("ID-7")
@pytest.mark.security("4.7")
def test_a_remembered_device_is_forgotten_from_afar(me, elsewhere):
    me.get("/account/sessions").submit("/account/devices")

    elsewhere.submit("/sign-out").sign_in(ANNA)

    assert elsewhere.path.startswith("/sign-in/code")


@pytest.mark.security("5.5")
@pytest.mark.security("5.7")
def test_signing_out_ends_the_session_and_clears_up(me, person_id):
    secret = me.cookie(sessions.COOKIE)

    me.get("/account").submit("/sign-out")

    assert me.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not me.is_signed_in()
    me.client.set_cookie(sessions.COOKIE, secret)
    assert not me.is_signed_in()
    assert events_of(person_id)[0] == IdpEvent.SESSIONS_ENDED


@pytest.mark.security("5.6")
@pytest.mark.parametrize("path", ["", "/security", "/password", "/sessions"])
def test_signing_out_is_on_every_page(me, path):
    me.get(f"/account{path}")

    assert me.form("/sign-out")


@pytest.mark.security("5.3")
def test_after_signing_out_nothing_that_was_begun_in_the_browser_goes_on(me):
    flow = me.get("/reset").submit("/reset", email=ANNA).flow

    me.get("/account").submit("/sign-out")

    assert me.client.get(f"/reset/code?flow={flow}").status_code == 400
