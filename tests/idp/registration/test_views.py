from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idp import facts as hearing
from idp.access import service as access
from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions import service as sessions
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.members import service as members
from tenants.people import service as people
from tests import programs
from tests.idp.provider import a_query, an_app
from tests.idp.race import all_at_once
from tests.idp.security_key import SecurityKey
from tests.idp.visitor import PASSWORD, Visitor, a_person
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, membership

NEW = "new@example.com"


def person(email=NEW):
    with db.reading() as session:
        return people.find_by_email(session, email)


@pytest.mark.product("ID-1")
def test_an_address_a_code_and_a_password_make_an_id(visitor, mailroom):
    visitor.get("/register").submit("/register", email="New@Example.com")
    assert "Read your mail" in visitor.words
    visitor.submit("/register/code", code=mailroom.code_to("New@example.com"))
    assert visitor.path.startswith("/register/password")
    visitor.submit("/register/password", new_password=PASSWORD)

    assert visitor.path == "/account"
    assert visitor.is_signed_in()
    assert person().email == "New@example.com"


@pytest.mark.product("ID-1")
def test_an_address_a_code_and_a_passkey_make_an_id(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    flow, key = visitor.flow, SecurityKey()
    options = visitor.post(f"/register/passkey/options?flow={flow}").json
    visitor.submit("/register/passkey", credential=key.make(options, origin="https://evil.example"))
    assert visitor.status == 422
    assert "This did not work" in visitor.words

    options = visitor.post(f"/register/passkey/options?flow={flow}").json
    visitor.submit("/register/passkey", credential=key.make(options))

    assert "Your ID is ready" in visitor.words
    assert visitor.text.count("<li>") == 10
    assert visitor.get(f"/authorize?flow={flow}").path == "/account"
    assert visitor.is_signed_in()


@pytest.mark.security("2.7")
def test_a_passkey_comes_after_the_proof_of_the_mailbox(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)

    for path in ("/register/passkey/options", "/register/passkey"):
        response = visitor.post(f"{path}?flow={visitor.flow}", credential="{}")
        assert response.status_code in {303, 422}
        visitor.get(f"/register?flow={visitor.flow}")
    assert person(NEW) is None


@pytest.mark.product("ID-1")
def test_nothing_but_an_address_is_asked_for(visitor):
    visitor.get("/register")

    assert set(visitor.form("/register").values) == {"csrf_token", "email"}


@pytest.mark.product("ID-1")
def test_the_link_in_the_mail_finishes_in_the_same_browser(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    flow = visitor.flow

    visitor.get(mailroom.link_to(NEW)).submit("/register/confirm")

    assert visitor.path == f"/register/password?flow={flow}"
    visitor.submit("/register/password", new_password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-1")
def test_the_link_opened_on_another_device_finishes_there(identity_app, visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    phone = Visitor(identity_app)

    phone.get(mailroom.link_to(NEW)).submit("/register/confirm")
    phone.submit("/register/password", new_password=PASSWORD)

    assert phone.is_signed_in()
    assert not visitor.is_signed_in()


@pytest.mark.product("ID-1")
def test_registration_on_the_way_to_an_application_ends_there(visitor, mailroom):
    app = an_app(first_party=True)
    visitor.get("/authorize?" + "&".join(f"{k}={v}" for k, v in a_query(app).items()))

    visitor.get(f"/register?flow={visitor.flow}").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.submit("/register/password", new_password=PASSWORD)

    assert visitor.status == 200
    assert "https://app.example/callback?code=" in visitor.text


@pytest.mark.product("ID-4")
def test_a_known_address_learns_the_truth_from_the_mail_alone(visitor, mailroom):
    a_person()

    visitor.get("/register").submit("/register", email="anna@example.com")

    assert "Read your mail" in visitor.words
    mail = mailroom.to("anna@example.com")
    assert mail.subject == "You already have an ID"
    assert "http://localhost:9000/sign-in" in mail.text
    assert "token=" not in mail.text


@pytest.mark.security("3.2")
def test_opening_the_link_shows_a_form_and_spends_nothing(identity_app, visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    link = mailroom.link_to(NEW)
    for _ in range(3):
        scanner = identity_app.test_client()
        assert scanner.head(link).status_code == 303
        assert scanner.get(link, follow_redirects=True).status_code == 200

    visitor.get(link)

    assert "token" not in visitor.path
    assert "token=" not in visitor.text
    assert visitor.response.headers["Referrer-Policy"] == "no-referrer"
    visitor.submit("/register/confirm")
    assert visitor.path.startswith("/register/password")


@pytest.mark.security("3.1")
def test_a_link_that_was_used_says_so_and_offers_a_new_mail(identity_app, visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    link = mailroom.link_to(NEW)
    visitor.get(link).submit("/register/confirm")

    late = Visitor(identity_app).get(link)

    assert late.status == 400
    assert 'data-code="link_spent"' in late.text
    assert 'href="/register"' in late.text


@pytest.mark.security("3.1")
def test_a_link_is_good_for_an_hour(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    link = mailroom.link_to(NEW)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert visitor.get(link).status == 400


@pytest.mark.security("3.1")
def test_a_link_of_registration_sets_no_password(identity_app, visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    link = mailroom.link_to(NEW).replace("/register/", "/reset/")

    assert Visitor(identity_app).get(link).status == 400


@pytest.mark.security("3.8")
def test_the_second_of_two_registrations_finds_that_there_is_an_id(identity_app, visitor, mailroom):
    other = Visitor(identity_app).get("/register").submit("/register", email=NEW)
    other.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.submit("/register/password", new_password=PASSWORD)

    other.submit("/register/password", new_password="siedem innych latarni")

    assert "There is an ID with this address already" in other.words
    assert not other.is_signed_in()


@pytest.mark.security("1.4")
@pytest.mark.security("1.1")
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("q7 łąka", "at least 12 characters"),
        ("Polska123456", "public lists"),
        ("new.example-1", "your address"),
        ("x" * 300, "at most 256"),
    ],
)
def test_a_refused_password_comes_with_its_reason(visitor, mailroom, typed, reason):
    visitor.get("/register").submit("/register", email="new.example@example.com")
    visitor.submit("/register/code", code=mailroom.code_to("new.example@example.com"))

    visitor.submit("/register/password", new_password=typed)

    assert visitor.status == 422
    assert reason in visitor.words
    assert typed not in visitor.text
    assert person("new.example@example.com") is None


def test_a_wrong_code_can_be_typed_again(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)

    visitor.submit("/register/code", code="00000000")

    assert visitor.status == 422
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    assert visitor.path.startswith("/register/password")


@pytest.mark.security("3.11")
@pytest.mark.parametrize("path", ["/register", "/reset"])
def test_mails_to_an_address_are_capped_and_the_answer_stays_the_same(identity_app, mailroom, path):
    pages = [Visitor(identity_app).get(path).submit(path, email=NEW).words for _ in range(8)]

    assert len(set(pages)) == 1
    assert len(mailroom.deliver()) == 5


def test_a_second_mail_can_be_asked_for(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    first = mailroom.code_to(NEW)

    visitor.submit("/register/code/send")
    second = mailroom.code_to(NEW)

    visitor.submit("/register/code", code=first)
    assert visitor.status == 422
    visitor.submit("/register/code", code=second)
    assert visitor.path.startswith("/register/password")


@pytest.mark.security("2.7")
def test_a_proof_of_one_address_is_none_of_another(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    flow, code = visitor.flow, mailroom.code_to(NEW)
    visitor.get(f"/sign-in?flow={flow}").submit("/sign-in", email="victim@example.com")

    visitor.get(f"/register/code?flow={flow}").submit("/register/code", code=code)

    assert visitor.status == 422


@pytest.mark.security("17.1")
def test_a_new_id_enters_with_one_factor_and_leaves_its_mark_in_the_ledger(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.submit("/register/password", new_password=PASSWORD)

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person().id))
        me = sessions.find_by_secret(
            session, visitor.cookie(sessions.COOKIE), now=datetime.now(UTC)
        )
    assert {row.event for row in rows} == {
        IdpEvent.PERSON_REGISTERED,
        IdpEvent.SIGN_IN_SUCCEEDED,
    }
    assert me.acr == acr.SINGLE_FACTOR
    assert mailroom.deliver() == []


@pytest.mark.security("3.10")
@pytest.mark.parametrize("path", ["", "/code", "/password", "/confirm"])
def test_closed_registration_is_closed_at_every_step(make_database, path):
    for app in programs.identity(make_database, registration_open=False):
        visitor = Visitor(app).get("/sign-in")
        assert "No ID yet" not in visitor.words
        token = visitor.token

        assert visitor.client.get(f"/register{path}").status_code == 403
        assert (
            visitor.client.post(
                f"/register{path}", data={"csrf_token": token, "email": NEW}
            ).status_code
            == 403
        )


@pytest.mark.security("3.3")
def test_links_in_mails_come_from_the_settings_and_not_from_the_request(identity_app, mailroom):
    client = identity_app.test_client()
    assert client.get("/register", headers={"Host": "evil.example"}).status_code == 400
    visitor = Visitor(identity_app)
    visitor._headers |= {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    visitor.get("/register").submit("/register", email=NEW)

    assert "evil.example" not in mailroom.to(NEW).text


def added(email=NEW, *, pending=False):
    """Somebody whom an account has added without a word."""
    office = an_office()
    if pending:
        making.a_person(email)
    with db.transaction(tenant=office.id) as session:
        made = members.add(session, office.id, email=email, actor=BOSS, now=datetime.now(UTC))
    return office, made.membership_id


def registered(visitor, mailroom):
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.submit("/register/password", new_password=PASSWORD)
    hearing.hear(datetime.now(UTC))


@pytest.mark.product("TEN-7")
def test_who_was_added_without_a_mail_comes_in_by_registering(visitor, mailroom):
    office, membership_id = added()
    was = person().id
    registered(visitor, mailroom)

    assert visitor.is_signed_in()
    assert person().id == was
    assert membership(office.id, membership_id).accepted_at is not None


@pytest.mark.product("TEN-7")
@pytest.mark.security("3.9")
def test_registering_accepts_nothing_that_waits_for_a_yes(visitor, mailroom):
    office, membership_id = added(pending=True)
    registered(visitor, mailroom)

    row = membership(office.id, membership_id)
    assert (row.state, row.accepted_at) == ("pending", None)


@pytest.mark.product("TEN-7")
def test_who_was_added_comes_in_with_a_passkey_too(visitor, mailroom):
    added()
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    flow, key = visitor.flow, SecurityKey()
    options = visitor.post(f"/register/passkey/options?flow={flow}").json
    visitor.submit("/register/passkey", credential=key.make(options))

    assert "Your ID is ready" in visitor.words


@pytest.mark.security("3.8")
def test_the_first_proof_ends_what_was_given_before(identity_app, visitor, mailroom):
    added()
    with db.transaction() as session:
        fresh = access.prepare(access.How.WELCOME_LINK)
        access.give(
            session, person_id=person().id, fresh=fresh, by="operator", now=datetime.now(UTC)
        )
    welcome = mailroom.link_to(NEW)
    registered(visitor, mailroom)

    assert Visitor(identity_app).get(welcome).status == 400


@pytest.mark.security("15.2")
def test_of_many_who_register_for_one_added_address_one_does(identity_app, mailroom):
    added()
    browsers = []
    for _ in range(3):
        browser = Visitor(identity_app)
        browser.get("/register").submit("/register", email=NEW)
        browser.submit("/register/code", code=mailroom.code_to(NEW))
        browsers.append(browser)
    waiting = iter(browsers)
    all_at_once(
        identity_app, 3, lambda: next(waiting).submit("/register/password", new_password=PASSWORD)
    )

    assert sum(browser.is_signed_in() for browser in browsers) == 1
