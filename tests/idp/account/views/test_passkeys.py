import json
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine

from idp.credentials import passkeys
from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions import service as sessions
from tenants.database import db
from tests.idp.account.views.visits import ANNA, events_of, signed_in
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.visitor import (
    NEW_PASSWORD,
    PASSWORD,
    Visitor,
    a_person,
)

CODES = re.compile(r"<li>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</li>")


def options_of(visitor, url):
    response = visitor.post(url)
    assert response.status_code == 200, response.data
    return json.loads(response.data)


def add(visitor, key=None, name="Laptop", at="/account/passkeys/add", **bent):
    key = key or SecurityKey()
    visitor.get(at)
    made = key.make(options_of(visitor, "/account/passkeys/options"), **bent)
    visitor.submit("/account/passkeys/add", credential=made, name=name)
    return key


def enter(visitor, key, at="/account"):
    """With the passkey alone."""
    visitor.get(at)
    assert visitor.path.startswith("/sign-in"), visitor.path
    shown = key.show(options_of(visitor, f"/sign-in/passkey/options?flow={visitor.flow}"))
    return visitor.submit("/sign-in/passkey", credential=shown)


@pytest.mark.product("ID-6")
@pytest.mark.product("ID-7")
@pytest.mark.security("4.3")
@pytest.mark.security("4.6")
def test_the_first_passkey_brings_the_recovery_codes_and_a_mail(me, mailroom, person_id):
    before = signed_in(me)

    add(me)

    assert len(CODES.findall(me.text)) == 10
    after = signed_in(me)
    assert (after.acr, after.session_id) == (acr.TWO_FACTOR, before.session_id)
    assert after.amr == (
        acr.PASSWORD,
        acr.MAILED_CODE,
        acr.HARDWARE_KEY,
        acr.USER_PRESENCE,
        acr.SEVERAL_FACTORS,
    )
    mail = mailroom.to(ANNA)
    assert mail.subject == "A passkey was added"
    assert "“Laptop”" in mail.text
    assert IdpEvent.PASSKEY_ADDED in events_of(person_id)


@pytest.mark.product("ID-7")
def test_the_list_says_what_a_passkey_is_when_it_was_made_and_when_it_was_used(
    me, identity_app, person_id
):
    add(me, SecurityKey(is_synced=True), name="Phone")
    add(me, name="Stick", transports=["usb"])
    add(me, SecurityKey(verifies=False), name="Old stick", transports=["usb"])
    key = add(me, name="Laptop")
    assert CODES.findall(me.text) == []

    enter(Visitor(identity_app), key)

    words = me.get("/account/passkeys").words
    assert "Phone Passkey that is kept on all devices of one account Added" in words
    assert "Stick Security key Added" in words
    assert "Old stick Security key · with the password only Added" in words
    assert "Laptop Passkey on one device only Added" in words
    assert words.count("Not used yet.") == 3
    assert words.count("Last used") == 1


@pytest.mark.product("ID-7")
def test_a_passkey_is_renamed(me, person_id):
    add(me)
    me.get("/account/passkeys")
    link = re.search(r'href="(/account/passkeys/[0-9a-f-]{36})"', me.text)[1]

    me.get(link).submit(link, name="  Work \t laptop ")

    assert "The new name is saved" in me.words
    assert "Work laptop" in me.words
    assert IdpEvent.PASSKEY_RENAMED in events_of(person_id)
    assert me.get(link).submit(link, name="   ").status == 422
    assert "Give it a name" in me.words


@pytest.mark.product("ID-7")
@pytest.mark.security("4.6")
@pytest.mark.security("4.7")
def test_a_removed_passkey_opens_nothing_and_devices_are_asked_again(
    me, elsewhere, identity_app, mailroom, person_id
):
    key = add(me)
    me.get("/account/passkeys")

    me.submit("/account/passkeys/")

    assert "The passkey is removed" in me.words
    assert "No passkeys yet" in me.words
    assert mailroom.to(ANNA).subject == "A passkey was removed"
    assert IdpEvent.PASSKEY_REMOVED in events_of(person_id)
    other = enter(Visitor(identity_app), key)
    assert (other.status, other.is_signed_in()) == (422, False)
    assert "This passkey can&#39;t be used here" in other.text
    elsewhere.submit("/sign-out")
    assert elsewhere.sign_in(ANNA).path.startswith("/sign-in/code")


@pytest.mark.security("4.7")
def test_a_new_passkey_lets_other_devices_be_asked_again(me, elsewhere):
    add(me)

    elsewhere.submit("/sign-out")

    assert elsewhere.sign_in(ANNA).path.startswith("/sign-in/code")
    assert "Use a passkey" in elsewhere.words


@pytest.mark.security("4.3")
def test_an_app_that_joins_a_passkey_keeps_the_sheet_and_so_does_its_going(me, mailroom, person_id):
    add(me)
    me.get("/account/authenticator")
    key = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', me.text)[1].replace(" ", "")

    me.submit("/account/authenticator", code=pyotp.TOTP(key).now())

    assert CODES.findall(me.text) == []
    assert "10 codes are left" in me.get("/account/recovery-codes").words
    me.get("/account/security").submit("/account/authenticator/remove")
    assert "The authenticator app is removed." in me.words
    assert "10 codes are left" in me.get("/account/recovery-codes").words
    me.get("/account/passkeys").submit("/account/passkeys/")
    assert "Add one first" in me.get("/account/recovery-codes").words


@pytest.mark.product("ID-6")
def test_who_has_a_passkey_makes_new_recovery_codes(me, person_id):
    add(me)

    me.get("/account/recovery-codes").submit("/account/recovery-codes")

    assert len(CODES.findall(me.text)) == 10


@pytest.mark.security("4.6")
@pytest.mark.parametrize("path", ["/account/passkeys/add", "/account/recovery-codes"])
def test_factors_are_changed_only_by_who_signed_in_just_now(me, path):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=False):
        me.get(path)

    assert me.path.startswith("/sign-in/password")


@pytest.mark.security("4.6")
def test_what_was_begun_is_not_finished_by_who_signed_in_long_ago(me, person_id):
    key = SecurityKey()
    me.get("/account/passkeys/add")
    made = key.make(options_of(me, "/account/passkeys/options"))
    form = me.form("/account/passkeys/add")

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=False):
        response = me.post(form.action, credential=made, name="Laptop")

    assert response.status_code == 303
    assert IdpEvent.PASSKEY_ADDED not in events_of(person_id)


@pytest.mark.security("4.6")
@pytest.mark.security("4.9")
def test_with_a_passkey_enrolled_the_password_alone_changes_no_factor(identity_app):
    now = datetime.now(UTC)
    person_id = a_person("bert@example.com")
    key = a_passkey(person_id, now=now)
    bert = Visitor(identity_app)
    bert.sign_in("bert@example.com")
    shown = key.show(options_of(bert, f"/sign-in/code/passkey/options?flow={bert.flow}"))
    bert.submit("/sign-in/code", credential=shown, remember="y")
    bert.submit("/sign-out")
    bert.sign_in("bert@example.com")
    assert signed_in(bert).acr == acr.SINGLE_FACTOR

    bert.get("/account/passkeys/add")

    assert bert.path.startswith("/sign-in/code")
    shown = key.show(options_of(bert, f"/sign-in/code/passkey/options?flow={bert.flow}"))
    bert.submit("/sign-in/code", credential=shown)
    assert bert.path == "/account/passkeys/add"


@pytest.mark.product("ID-5")
@pytest.mark.product("ID-8")
def test_who_has_no_password_proves_the_passkey_again_and_sets_one(identity_app, mailroom):
    now = datetime.now(UTC)
    person_id = a_person("bert@example.com", password_=None)
    key = a_passkey(person_id, now=now)
    bert = enter(Visitor(identity_app), key)
    assert bert.is_signed_in()
    with time_machine.travel(now + timedelta(minutes=6), tick=False):
        assert enter(bert, key, at="/account/password").path == "/account/password"
        assert 'name="password"' not in bert.text

        bert.submit("/account/password", new_password=NEW_PASSWORD)

        assert "The password is changed" in bert.words
        again = Visitor(identity_app).sign_in("bert@example.com", NEW_PASSWORD)
        assert again.path.startswith("/sign-in/code")
    assert "password" in mailroom.to("bert@example.com").subject


@pytest.mark.security("1.7")
def test_with_a_passkey_alone_as_factor_the_password_is_changed_after_proving_it(identity_app):
    now = datetime.now(UTC)
    key = a_passkey(a_person("bert@example.com"), now=now)
    bert = enter(Visitor(identity_app), key)
    with time_machine.travel(now + timedelta(minutes=6), tick=False):
        bert.get("/account/password")
        assert bert.path.startswith("/sign-in/password")
        enter(bert, key, at=bert.path)
        assert 'name="password"' in bert.text
        bert.submit("/account/password", password="wrong", new_password=NEW_PASSWORD)
        assert "This is not your current password" in bert.words
        bert.submit("/account/password", password=PASSWORD, new_password=NEW_PASSWORD)

    assert "The password is changed" in bert.words


def test_the_only_way_in_is_not_removed(identity_app):
    key = a_passkey(a_person("bert@example.com", password_=None), now=datetime.now(UTC))
    bert = enter(Visitor(identity_app), key)

    bert.get("/account/passkeys").submit("/account/passkeys/")

    assert "This is your only way to sign in" in bert.words
    assert "Firefox, Linux" in bert.words


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    "bent",
    [
        {"type": "webauthn.get"},
        {"challenge": "b3RoZXI"},
        {"origin": "https://evil.example"},
        {"domain": "evil.example"},
        {"id": "b3RoZXI"},
    ],
)
def test_a_passkey_that_fails_a_check_is_not_kept(me, person_id, bent):
    add(me, **bent)

    assert me.status == 422
    assert "This did not work, or took too long. Try again." in me.words
    assert IdpEvent.PASSKEY_ADDED not in events_of(person_id)


@pytest.mark.security("4.8")
def test_a_passkey_of_somebody_else_is_not_added_twice(me, identity_app):
    key = a_passkey(a_person("bert@example.com"), now=datetime.now(UTC))

    add(me, key)

    assert me.status == 422
    assert "This device or key is in your list already" in me.words


@pytest.mark.security("12.2")
def test_a_passkey_of_somebody_else_is_not_found(me, identity_app):
    bert = a_person("bert@example.com")
    a_passkey(bert, now=datetime.now(UTC))
    with db.reading() as session:
        url = f"/account/passkeys/{passkeys.of_person(session, person_id=bert)[0].id}"
    me.get("/account/passkeys/add")

    assert me.post(url, name="Mine").status_code == 404
    assert me.post(f"{url}/remove").status_code == 404
    assert me.get(url).status == 404


@pytest.mark.security("2.7")
@pytest.mark.product("ID-6")
def test_signing_in_again_with_a_passkey_renews_the_session(me):
    key = add(me)
    before = signed_in(me)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=False):
        enter(me, key, at="/account/passkeys/add")
        assert me.path == "/account/passkeys/add"
        with db.reading() as session:
            after = sessions.find_by_secret(
                session, me.cookie(sessions.COOKIE), now=datetime.now(UTC)
            )

    assert after.session_id == before.session_id
    assert after.auth_time > before.auth_time
