import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest
import time_machine

from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sign_in import throttle
from kernel.limits import Refusal
from kernel.limits.policies import NEVER
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tests.idp.provider import an_app
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, a_person, a_sheet, an_authenticator

ANNA = "anna@example.com"


@pytest.fixture
def person_id(identity_app):
    return a_person()


@pytest.fixture
def me(visitor, mailroom, person_id):
    """A browser in which Anna is signed in, with a code by mail."""
    visitor.sign_in(ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))
    assert visitor.is_signed_in()
    return visitor


@pytest.fixture
def elsewhere(identity_app, mailroom, person_id):
    """Another browser of Anna's, remembered."""
    other = Visitor(identity_app, address="192.0.2.99").sign_in(ANNA)
    return other.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")


def signed_in(visitor):
    with db.reading() as session:
        return sessions.find_by_secret(
            session, visitor.cookie(sessions.COOKIE), now=datetime.now(UTC)
        )


def events_of(person_id):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=person_chain(person_id))]


def change_password(visitor, current=PASSWORD, new=NEW_PASSWORD, **code):
    visitor.get("/account/password")
    return visitor.submit("/account/password", password=current, new_password=new, **code)


@pytest.mark.security("12.1")
@pytest.mark.parametrize(
    "path", ["", "/security", "/password", "/authenticator", "/recovery-codes", "/sessions"]
)
def test_account_pages_ask_strangers_to_sign_in_and_come_back(visitor, path):
    a_person()

    visitor.get(f"/account{path}")

    assert visitor.path.startswith("/sign-in?flow=")


def test_the_bare_address_leads_to_the_profile(me):
    assert me.get("/").path == "/account"


@pytest.mark.product("ID-1")
def test_a_profile_is_filled_in_later(me, person_id):
    me.get("/account").submit(
        "/account", given_name="Anna", family_name="Nowak", phone="+48 600 700 800", locale="pl"
    )

    assert "Profil zapisany" in me.words
    with db.reading() as session:
        person = people.find(session, person_id)
    assert (person.given_name, person.family_name) == ("Anna", "Nowak")
    assert (person.phone, person.locale, person.email) == ("+48 600 700 800", "pl", ANNA)
    assert IdpEvent.PERSON_PROFILE_CHANGED in events_of(person_id)


@pytest.mark.security("2.9")
@pytest.mark.parametrize(
    "wrong",
    [{"given_name": "admin@example.com"}, {"family_name": "x" * 101}, {"phone": "call me"}],
)
def test_a_name_may_not_look_like_an_address(me, person_id, wrong):
    me.get("/account").submit("/account", **wrong)

    assert me.status == 422
    with db.reading() as session:
        assert people.find(session, person_id).given_name is None


@pytest.mark.security("3.7")
def test_the_address_can_not_be_changed_by_posting_one(me, person_id):
    me.get("/account").submit("/account", email="other@example.com", status="blocked")

    with db.reading() as session:
        person = people.find(session, person_id)
    assert (person.email, person.status) == (ANNA, "active")


@pytest.mark.product("OPS-4")
def test_the_language_chosen_at_the_foot_of_a_page_stays_with_the_person(me, person_id):
    me.get("/account")
    me.post("/preferences", language="pl", next="/account")

    with db.reading() as session:
        assert people.find(session, person_id).locale == "pl"


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

    assert "Add an app first" in me.words


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


@pytest.mark.security("5.6")
def test_all_other_sessions_end_at_once(me, elsewhere):
    me.get("/account/sessions").submit("/account/sessions/end-others")

    assert "signed out on 1 other device" in me.words
    assert not elsewhere.is_signed_in()
    assert me.is_signed_in()


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


@pytest.mark.security("5.3")
def test_after_signing_out_nothing_that_was_begun_in_the_browser_goes_on(me):
    flow = me.get("/reset").submit("/reset", email=ANNA).flow

    me.get("/account").submit("/sign-out")

    assert me.client.get(f"/reset/code?flow={flow}").status_code == 400
