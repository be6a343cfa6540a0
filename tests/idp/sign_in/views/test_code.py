from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp.sessions import devices
from idp.sessions import service as sessions
from tenants.database import db
from tenants.people.models import Person
from tests.idp.security_key import a_passkey
from tests.idp.visitor import PASSWORD, a_person, a_sheet, an_authenticator

ANNA = "anna@example.com"


@pytest.mark.product("ID-5")
@pytest.mark.product("ID-6")
def test_address_then_password_then_a_code_from_the_mail(visitor, mailroom):
    a_person()

    visitor.get("/account")
    assert visitor.path.startswith("/sign-in?")
    visitor.submit("/sign-in", email=ANNA)
    assert visitor.path.startswith("/sign-in/password?")
    visitor.submit("/sign-in/password", password=PASSWORD)
    assert visitor.path.startswith("/sign-in/code?")
    assert not visitor.is_signed_in()
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))

    assert visitor.path == "/account"
    assert visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_address_then_password_then_a_code_from_the_app(visitor):
    app = an_authenticator(a_person(), now=datetime.now(UTC))

    visitor.sign_in(ANNA)
    assert "six digits" in visitor.words
    visitor.submit("/sign-in/code", code=app.now())

    assert visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_a_recovery_code_has_a_page_of_its_own(visitor):
    person_id = a_person()
    an_authenticator(person_id, now=datetime.now(UTC))
    code = a_sheet(person_id, now=datetime.now(UTC))[0]

    visitor.sign_in(ANNA)
    visitor.get(f"/sign-in/code?flow={visitor.flow}&way=recovery")
    assert "Enter a recovery code" in visitor.words
    visitor.submit("/sign-in/code", code=code)

    assert visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_a_remembered_device_is_not_asked_for_a_code_for_thirty_days(
    identity_app, visitor, mailroom
):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    visitor.get("/account").submit("/sign-out")
    assert not visitor.is_signed_in()

    visitor.sign_in(ANNA)
    assert visitor.is_signed_in()

    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        visitor.sign_in(ANNA)
        assert visitor.path.startswith("/sign-in/code")


@pytest.mark.product("ID-6")
def test_a_device_that_is_not_to_be_remembered_is_asked_every_time(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))
    visitor.get("/account").submit("/sign-out")

    visitor.sign_in(ANNA)

    assert visitor.path.startswith("/sign-in/code")


@pytest.mark.security("2.6")
@pytest.mark.security("5.3")
def test_the_session_id_is_new_after_every_authentication(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    assert visitor.cookie(sessions.COOKIE) is None
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    first = visitor.cookie(sessions.COOKIE)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        visitor.get("/account/authenticator")
        assert visitor.path.startswith("/sign-in/password")
        visitor.submit("/sign-in/password", password=PASSWORD)
        second = visitor.cookie(sessions.COOKIE)
        visitor.submit("/sign-in/code/send")
        visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))
        assert visitor.path == "/account/authenticator"
        third = visitor.cookie(sessions.COOKIE)

        assert len({first, second, third}) == 3
        for old in (first, second):
            visitor.client.set_cookie(sessions.COOKIE, old)
            assert not visitor.is_signed_in()


@pytest.mark.security("5.2")
@pytest.mark.security("4.7")
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    form = visitor.form("/sign-in/code")

    response = visitor.client.post(form.action, data=form.values | {"code": mailroom.code_to(ANNA)})

    cookies = response.headers.getlist("Set-Cookie")
    given = [c for c in cookies if c.startswith((sessions.COOKIE, devices.COOKIE))]
    assert len(given) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in given)


@pytest.mark.security("2.7")
def test_who_is_blocked_between_the_factors_is_asked_from_the_beginning(visitor):
    person_id = a_person()
    visitor.sign_in(ANNA)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    visitor.submit("/sign-in/code", code="12345678")

    assert visitor.path.startswith("/sign-in/password")
    assert visitor.status == 200


@pytest.mark.product("ID-6")
def test_the_code_page_offers_every_factor_that_was_added_and_no_mail(visitor, mailroom):
    person_id = a_person()
    an_authenticator(person_id, now=datetime.now(UTC))
    a_passkey(person_id, now=datetime.now(UTC))

    visitor.sign_in(ANNA)

    page = visitor.text
    assert page.index("data-passkey=") < page.index('name="code"') < page.index("way=recovery")
    assert "/sign-in/code/send" not in page
    assert mailroom.deliver() == []


@pytest.mark.product("ID-6")
def test_who_has_a_passkey_alone_is_told_what_it_needs_and_is_shown_the_way_without(visitor):
    a_passkey(a_person(), now=datetime.now(UTC))

    visitor.sign_in(ANNA)

    assert "A passkey needs a browser with scripts" in visitor.words
    assert 'name="code"' not in visitor.text
    assert "way=recovery" in visitor.text


@pytest.mark.security("4.8")
def test_a_refused_second_passkey_is_said_at_the_button_and_another_way_stays(visitor):
    person_id = a_person()
    app = an_authenticator(person_id, now=datetime.now(UTC))
    key = a_passkey(person_id, now=datetime.now(UTC))
    visitor.sign_in(ANNA)
    options = visitor.post(f"/sign-in/code/passkey/options?flow={visitor.flow}").json
    visitor.submit("/sign-in/code", credential=key.show(options, signature=b"forged"))
    assert visitor.status == 422
    assert "This passkey can&#39;t be used here" in visitor.text

    visitor.submit("/sign-in/code", code=app.now())

    assert visitor.is_signed_in()
