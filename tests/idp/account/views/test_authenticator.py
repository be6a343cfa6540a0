import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine

from idp.events import IdpEvent
from idp.protocol import acr
from tests.idp.account.views.visits import ANNA, events_of, signed_in
from tests.idp.provider import an_app
from tests.idp.visitor import a_sheet, an_authenticator


@pytest.mark.product("ID-7")
@pytest.mark.product("ID-6")
def test_an_app_is_added_with_a_picture_and_a_key_in_text(me, mailroom, person_id):
    me.get("/account/authenticator")
    assert 'src="data:image/svg+xml' in me.text
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1].replace(" ", "")

    me.submit("/account/authenticator", code=pyotp.TOTP(key).now())

    assert len(re.findall(r"<li>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</li>", me.text)) == 10
    assert "The authenticator app is added" in me.words
    assert signed_in(me).acr == acr.TWO_FACTOR
    assert mailroom.to(ANNA).subject == "An authenticator app was added"
    assert IdpEvent.AUTHENTICATOR_ADDED in events_of(person_id)


@pytest.mark.security("4.3")
def test_recovery_codes_are_shown_once(me):
    me.get("/account/authenticator")
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1].replace(" ", "")
    me.submit("/account/authenticator", code=pyotp.TOTP(key).now())
    code = re.search(r"<li>([0-9A-Z-]{19})</li>", me.text)[1]
    assert me.response.headers["Cache-Control"] == "no-store"

    for path in ("/account/recovery-codes", "/account/security", "/account/authenticator"):
        assert code not in me.get(path).text


def test_a_wrong_first_code_shows_the_same_key_again(me):
    me.get("/account/authenticator")
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1]

    me.submit("/account/authenticator", code="000000")

    assert me.status == 422
    assert key in me.text


@pytest.mark.security("4.6")
@pytest.mark.parametrize("path", ["/account/authenticator", "/account/recovery-codes"])
def test_factors_are_changed_only_by_somebody_who_has_just_proved_one(me, path):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        me.get(path)

        assert me.path.startswith("/sign-in/password")
        assert "token" in me.text
        assert me.is_signed_in()


@pytest.mark.product("ID-7")
@pytest.mark.security("4.6")
def test_an_app_is_removed_only_after_a_fresh_proof(me, mailroom, person_id):
    app = an_authenticator(person_id, now=datetime.now(UTC))
    a_sheet(person_id, now=datetime.now(UTC))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        me.get("/account/security").submit("/account/authenticator/remove")
        assert me.path.startswith("/sign-in/password")

    me.get("/account/security").submit("/account/authenticator/remove")
    assert me.path.startswith("/sign-in/code")
    me.submit("/sign-in/code", code=app.now())
    me.get("/account/security").submit("/account/authenticator/remove")

    assert "codes come by mail" in me.words
    assert mailroom.to(ANNA).subject == "The authenticator app was removed"
    assert IdpEvent.AUTHENTICATOR_REMOVED in events_of(person_id)
    assert "Add an app" in me.words


@pytest.mark.security("4.7")
def test_a_new_factor_ends_what_is_remembered(me, elsewhere):
    me.get("/account/authenticator")
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1].replace(" ", "")
    me.submit("/account/authenticator", code=pyotp.TOTP(key).now())

    elsewhere.submit("/sign-out").sign_in(ANNA)

    assert elsewhere.path.startswith("/sign-in/code")


@pytest.mark.product("ID-7")
@pytest.mark.security("4.3")
def test_new_recovery_codes_take_the_place_of_the_old(me, person_id, mailroom):
    app = an_authenticator(person_id, now=datetime.now(UTC))
    old = a_sheet(person_id, now=datetime.now(UTC))[0]

    me.get("/account/recovery-codes").submit("/sign-in/code", code=app.now())
    me.submit("/account/recovery-codes")

    assert old not in me.text
    assert len(re.findall(r"<li>([0-9A-Z-]{19})</li>", me.text)) == 10
    assert mailroom.to(ANNA).subject == "New recovery codes were made"
    assert IdpEvent.RECOVERY_CODES_MADE in events_of(person_id)


def test_without_an_app_there_are_no_recovery_codes(me):
    token = me.get("/account/recovery-codes").token

    me.client.post("/account/recovery-codes", data={"csrf_token": token})

    assert "Add one first" in me.words


@pytest.mark.product("ID-6")
@pytest.mark.security("4.9")
def test_an_application_that_asks_for_two_factors_gets_them_by_enrolment(identity_app, me):
    app = an_app(first_party=True)
    url = (
        f"/authorize?client_id={app.id}&response_type=code&scope=openid&redirect_uri="
        "https://app.example/callback&code_challenge_method=S256&code_challenge="
        f"{'a' * 43}&acr_values={acr.TWO_FACTOR}"
    )

    me.get(url)
    assert me.path.startswith("/account/authenticator?flow=")
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1].replace(" ", "")
    me.submit("/account/authenticator", code=pyotp.TOTP(key).now())
    go_on = re.search(r'href="(/authorize\?flow=[^"]+)"', me.text)[1]
    response = me.client.get(go_on)

    assert "code=" in response.get_data(as_text=True) + response.headers.get("Location", "")
