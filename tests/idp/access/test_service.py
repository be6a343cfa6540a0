from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from idp.access import service
from idp.access.models import FirstAccess
from idp.access.return_address import NotAnAddressOfOurs
from idp.access.service import MAILS_TO_PERSON, HasOwnAccess, How
from idp.credentials import mailed_link, password, temporary_password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.models import MailedLink
from idp.events import IdpEvent
from kernel.errors import NotFound
from kernel.limits import Window
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.outbox import outbox
from tenants.people import service as people
from tests.idp.provider import an_app
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"
BOTH = pytest.mark.parametrize("how", How)


def give(person_id, how, now, *, by="operator", **more):
    """Give access; returns the secret that only the mail will tell, and what was answered."""
    fresh = service.prepare(how)
    with db.transaction() as session:
        given = service.give(session, person_id=person_id, fresh=fresh, by=by, now=now, **more)
    return fresh.secret, given


def state(person_id):
    with db.reading() as session:
        return service.state(session, person_id=person_id)


def is_temporary(secret, person_id, now):
    with db.reading() as session:
        found = temporary_password.find(session, person_id=person_id, typed_at=now)
    return found is not None and hashing().verify(found[0], secret).matches


@pytest.mark.product("ID-9")
def test_a_temporary_password_is_made_by_us_and_works_for_72_hours(now):
    person_id = a_person(password_=None)

    secret, given = give(person_id, How.TEMPORARY_PASSWORD, now)

    assert is_temporary(secret, person_id, now)
    assert given.until == now + timedelta(hours=72)
    assert state(person_id) == service.State(
        is_activated=False, how=How.TEMPORARY_PASSWORD, until=given.until
    )


@pytest.mark.product("ID-9")
@pytest.mark.product("ID-10")
@BOTH
def test_how_long_access_works_is_a_setting(identity_app, now, monkeypatch, how):
    settings = identity_app.extensions["klucznik.settings"].model_copy(
        update={"temporary_password_hours": 5, "welcome_link_hours": 5}
    )
    monkeypatch.setitem(identity_app.extensions, "klucznik.settings", settings)

    assert give(a_person(password_=None), how, now)[1].until == now + timedelta(hours=5)


@pytest.mark.product("ID-9")
def test_the_mail_brings_the_password_in_the_words_that_were_promised(now, mailroom):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        people.describe(session, person_id=person_id, values={"locale": "pl"}, now=now)

    secret, _ = give(person_id, How.TEMPORARY_PASSWORD, now)

    mail = mailroom.to(ANNA)
    assert mail.subject == "Twoje tymczasowe hasło"
    for part in (mail.text, mail.html):
        words = " ".join(part.split())
        assert "Dzień dobry," in words
        assert "Twoje tymczasowe hasło to:" in words
        assert secret in words
        assert "Przy pierwszym logowaniu ustawisz własne hasło." in words
        assert "Zaloguj się" in words
        assert "http://localhost:9001/login" in words
        assert "Miłego korzystania z platformy!" in words


@pytest.mark.product("ID-9")
@pytest.mark.product("OPS-4")
def test_the_mail_is_written_in_english_for_who_reads_english(now, mailroom):
    secret, _ = give(a_person(password_=None), How.TEMPORARY_PASSWORD, now)

    mail = mailroom.to(ANNA)
    assert mail.subject == "Your temporary password"
    assert f"Your temporary password is:\n\n    {secret}\n" in mail.text
    assert "When you sign in for the first time, you will set a password of your own." in mail.text
    assert "Enjoy the platform!" in mail.text


@pytest.mark.product("ID-10")
def test_the_welcome_mail_carries_a_link_and_no_password(now, mailroom):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        people.describe(session, person_id=person_id, values={"locale": "pl"}, now=now)

    give(person_id, How.WELCOME_LINK, now)

    mail = mailroom.to(ANNA)
    assert mail.subject == "Ustaw hasło do swojego konta ID"
    assert "link do wygenerowania hasła" in mail.text
    assert "http://localhost:9000/welcome?token=" in mail.text
    with db.reading() as session:
        assert temporary_password.until(session, person_id=person_id) is None


@pytest.mark.security("3.4")
@BOTH
def test_the_mail_goes_to_the_address_of_the_id_and_nowhere_else(now, mailroom, how):
    give(a_person(password_=None), how, now)

    assert [mail.to for mail in mailroom.deliver()] == [ANNA]


@pytest.mark.security("3.3")
def test_the_link_is_made_of_the_configured_address(now, mailroom):
    give(a_person(password_=None), How.WELCOME_LINK, now)

    assert mailroom.link_to(ANNA).startswith("/welcome?token=")


@pytest.mark.product("ID-9")
@BOTH
def test_the_mail_leads_to_the_application_that_was_named(now, mailroom, how):
    app = an_app(redirect_uris=("https://crm.example/callback",))
    person_id = a_person(password_=None)

    give(person_id, how, now, return_to="https://crm.example/panel", application=app.id)

    with db.reading() as session:
        assert session.get_one(FirstAccess, person_id).return_to == "https://crm.example/panel"
    if how is How.TEMPORARY_PASSWORD:
        assert "Sign in: https://crm.example/panel\n" in mailroom.to(ANNA).text


def test_a_place_that_is_nobodys_is_refused_and_nothing_is_given(now, mailroom):
    person_id = a_person(password_=None)

    with pytest.raises(NotAnAddressOfOurs):
        give(person_id, How.TEMPORARY_PASSWORD, now, return_to="https://evil.example/")

    assert state(person_id).how is None
    assert mailroom.deliver() == []


@pytest.mark.product("ID-9")
@pytest.mark.security("1.9")
@BOTH
def test_a_password_that_somebody_has_is_never_touched(now, mailroom, how):
    person_id = a_person()
    with db.reading() as session:
        before = password.stored_hash(session, person_id=person_id)

    with pytest.raises(HasOwnAccess):
        give(person_id, how, now)

    with db.reading() as session:
        assert password.stored_hash(session, person_id=person_id) == before
    assert mailroom.deliver() == []
    assert state(person_id) == service.State(is_activated=True, how=None, until=None)


@pytest.mark.security("1.9")
@BOTH
def test_who_has_a_factor_but_no_password_is_given_none(now, how):
    person_id = a_person(password_=None)
    an_authenticator(person_id, now=now)

    with pytest.raises(HasOwnAccess):
        give(person_id, how, now)


@BOTH
def test_nobody_gives_access_to_a_person_who_is_not_there(now, how):
    with pytest.raises(NotFound):
        give(UUID(int=7), how, now)


@pytest.mark.product("ID-9")
@pytest.mark.security("3.1")
def test_a_fresh_temporary_password_supersedes_the_former(now):
    person_id = a_person(password_=None)
    old, _ = give(person_id, How.TEMPORARY_PASSWORD, now)
    later = now + timedelta(minutes=1)

    new, _ = give(person_id, How.TEMPORARY_PASSWORD, later)

    assert not is_temporary(old, person_id, later)
    assert is_temporary(new, person_id, later)


@pytest.mark.security("3.1")
def test_a_link_supersedes_a_temporary_password_and_the_other_way_round(now, mailroom):
    person_id = a_person(password_=None)
    give(person_id, How.TEMPORARY_PASSWORD, now)

    give(person_id, How.WELCOME_LINK, now)

    with db.reading() as session:
        assert temporary_password.until(session, person_id=person_id) is None
    token = mailroom.link_to(ANNA).partition("token=")[2]
    give(person_id, How.TEMPORARY_PASSWORD, now)
    with db.reading() as session:
        assert not mailed_link.is_open(session, token=token, purpose=Purpose.WELCOME, now=now)


@pytest.mark.product("ID-9")
@BOTH
def test_access_is_sent_again_in_the_same_way_and_to_the_same_place(now, how):
    app = an_app(redirect_uris=("https://crm.example/callback",))
    person_id = a_person(password_=None)
    give(person_id, how, now, return_to="https://crm.example/panel", application=app.id)
    # It may be over by then.
    later = now + timedelta(days=30)

    again = service.send_again(person_id, by="client:crm", now=later)

    assert again == service.Given(how, later + timedelta(hours=72), sent=True)
    with db.reading() as session:
        assert session.get_one(FirstAccess, person_id).return_to == "https://crm.example/panel"


def test_access_that_was_never_given_is_sent_as_a_temporary_password(now):
    assert service.send_again(a_person(password_=None), by="operator", now=now).how is (
        How.TEMPORARY_PASSWORD
    )


@pytest.mark.security("3.11")
def test_a_mailbox_gets_five_such_mails_an_hour_and_the_last_one_stays_good(now, mailroom):
    person_id = a_person(password_=None)
    for _ in range(MAILS_TO_PERSON.limit):
        last, given = give(person_id, How.TEMPORARY_PASSWORD, now)

    _, refused = give(person_id, How.WELCOME_LINK, now)

    assert refused == service.Given(How.TEMPORARY_PASSWORD, given.until, sent=False)
    assert is_temporary(last, person_id, now)
    assert len(mailroom.deliver()) == MAILS_TO_PERSON.limit
    assert give(person_id, How.WELCOME_LINK, now + timedelta(hours=1))[1].sent


@pytest.mark.product("ID-9")
@pytest.mark.security("1.9")
@pytest.mark.security("17.2")
@BOTH
def test_nobody_but_the_mail_learns_the_secret(now, how, mailroom):
    person_id = a_person(password_=None)

    secret, given = give(person_id, how, now, by="client:crm")

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person_id))
        in_outbox = repr(session.execute(outbox.table.select()).all())
    if how is How.WELCOME_LINK:
        secret = mailroom.link_to(ANNA).partition("token=")[2]
    for told in (repr(rows), repr(given), repr(service.prepare(how)), repr(state(person_id))):
        assert secret not in told
    # In the outbox it waits encrypted, and only until the mail is sent.
    assert secret not in in_outbox
    mailroom.deliver()
    with db.reading() as session:
        assert not any(row.payload for row in session.execute(outbox.table.select()))


def test_the_ledger_says_who_gave_what_and_until_when(now):
    person_id = a_person(password_=None)

    _, given = give(person_id, How.WELCOME_LINK, now, by="client:crm")

    with db.reading() as session:
        (row,) = ledger.history(session, chain=person_chain(person_id))
    assert (row.event, row.actor) == (IdpEvent.ACCESS_GIVEN, "client:crm")
    assert row.details == {"how": "welcome-link", "until": given.until.isoformat()}


@pytest.mark.security("18.3")
def test_what_is_over_is_not_mailed_any_more(now, mailroom):
    person_id = a_person(password_=None)
    give(person_id, How.TEMPORARY_PASSWORD, now - timedelta(hours=72))
    # The worker was down; another mail is younger.
    give(a_person("bob@example.com", password_=None), How.TEMPORARY_PASSWORD, now)

    assert [mail.to for mail in mailroom.deliver()] == ["bob@example.com"]


@pytest.mark.security("15.2")
@BOTH
def test_of_many_who_give_access_at_once_one_secret_stays_good(identity_app, now, how, monkeypatch):
    many = Window("mail:access", limit=100, every=timedelta(hours=1))
    monkeypatch.setattr(service, "MAILS_TO_PERSON", many)
    person_id = a_person(password_=None)
    fresh = service.prepare(how)

    def at_once():
        with db.transaction() as session:
            return service.give(session, person_id=person_id, fresh=fresh, by="crm", now=now)

    answers = all_at_once(identity_app, 50, at_once)

    assert all(isinstance(answer, service.Given) for answer in answers)
    is_open = select(func.count()).where(MailedLink.superseded_at.is_(None))
    with db.reading() as session:
        assert session.scalar(is_open) == (1 if how is How.WELCOME_LINK else 0)


@pytest.mark.security("15.2")
def test_access_and_an_own_password_at_once_leave_the_own_password(identity_app, now):
    person_id = a_person(password_=None)
    fresh = service.prepare(How.TEMPORARY_PASSWORD)
    own = iter(["own", *["give"] * 9])

    def act():
        with db.transaction() as session:
            if next(own) == "own":
                return password.store(session, person_id=person_id, hash_="own", now=now)
            return service.give(session, person_id=person_id, fresh=fresh, by="crm", now=now)

    all_at_once(identity_app, 10, act)

    with db.reading() as session:
        assert password.stored_hash(session, person_id=person_id) == "own"
