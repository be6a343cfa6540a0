import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from idp.credentials import password
from idp.credentials.hashing import hashing
from idp.credentials.models import Password
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.browser import Browser
from idp.sessions.service import Whereabouts
from idp.sign_in import password as first_factor
from idp.sign_in.outcomes import Proved, Throttled, Wrong
from idp.sign_in.password import AddressMissing
from kernel.errors import Overloaded
from kernel.ledger import INSTALLATION
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.address import NotAnAddress
from tenants.people.models import Person
from tests.idp.credentials.vectors import BCRYPT, HASHES, THEIRS
from tests.idp.race import all_at_once
from tests.idp.visitor import LONG_AGO, PASSWORD, a_person, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")


def a_browser(**facts):
    return Browser(
        **{
            "id_hash": b"b" * 32,
            "device_secret": None,
            "signed_in": None,
            "where": Whereabouts("Firefox", "192.0.2.7"),
            "request_id": "request",
            "language": "en",
            **facts,
        }
    )


def a_flow(now, email="anna@example.com"):
    with db.transaction() as session:
        return str(flows.start(session, browser_hash=b"b" * 32, email=email, now=now).id)


def a_device(person_id, now, *, remember):
    with db.transaction() as session:
        return devices.recognise(
            session,
            person_id=person_id,
            secret=None,
            remember=remember,
            where=Whereabouts(),
            now=now,
        ).secret


def prove(flow_id, typed, now, email=None, **browser):
    return first_factor.prove(
        flow_id, email=email, typed=typed, browser=a_browser(**browser), now=now
    )


def load(flow_id, now):
    with db.reading() as session:
        return flows.load(session, flow_id, b"b" * 32, now)


@pytest.mark.product("ID-5")
@pytest.mark.security("4.5")
def test_a_right_password_on_a_new_device_is_half_of_the_way(now):
    person_id = a_person()
    flow_id = a_flow(now)

    assert prove(flow_id, PASSWORD, now) == Proved(cookies=None)
    assert load(flow_id, now).person_id == person_id
    with db.reading() as session:
        assert sessions.open_sessions(session, person_id=person_id, now=now) == []


@pytest.mark.product("ID-6")
def test_on_a_remembered_device_the_password_is_enough(now):
    person_id = a_person()
    secret = a_device(person_id, now, remember=True)

    outcome = prove(a_flow(now), PASSWORD, now, device_secret=secret)

    with db.reading() as session:
        signed_in = sessions.find_by_secret(session, outcome.cookies.session, now=now)
    assert (signed_in.acr, signed_in.amr) == (
        acr.SINGLE_FACTOR,
        (acr.PASSWORD, acr.REMEMBERED_DEVICE),
    )


@pytest.mark.product("ID-6")
@pytest.mark.parametrize("has_app", [False, True])
def test_on_a_device_that_is_known_but_not_remembered_a_code_is_asked(now, has_app):
    person_id = a_person()
    secret = a_device(person_id, now, remember=False)
    if has_app:
        an_authenticator(person_id, now=now)

    assert prove(a_flow(now), PASSWORD, now, device_secret=secret).cookies is None


@pytest.mark.product("ID-5")
@pytest.mark.parametrize(
    "typed", ["wrong", "", PASSWORD.upper(), f" {PASSWORD}", PASSWORD[:-1], "x" * 9_999]
)
def test_a_password_is_right_whole_or_not_at_all(now, typed):
    a_person()
    flow_id = a_flow(now)

    assert prove(flow_id, typed, now) == Wrong()
    assert load(flow_id, now).first_factor_at is None


@pytest.mark.security("2.4")
def test_nobody_blocked_and_without_a_password_are_just_wrong(now):
    blocked = a_person("blocked@example.com")
    a_person("none@example.com", password_=None)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == blocked).values(status="blocked"))

    for email in ("blocked@example.com", "none@example.com", "nobody@example.com"):
        assert prove(a_flow(now, email), PASSWORD, now) == Wrong()


def test_address_and_password_may_come_together(now):
    a_person()
    flow_id = a_flow(now, None)

    assert isinstance(prove(flow_id, PASSWORD, now, email="ANNA@example.com"), Proved)


def test_a_password_without_an_address_is_out_of_order(now):
    with pytest.raises(AddressMissing):
        prove(a_flow(now, None), PASSWORD, now)


def test_what_is_no_address_is_refused_before_anything_counts(now):
    with pytest.raises(NotAnAddress):
        prove(a_flow(now, None), PASSWORD, now, email="anna")


@pytest.mark.security("2.7")
def test_another_address_in_the_flow_undoes_what_was_proved(now):
    a_person()
    flow_id = a_flow(now)
    prove(flow_id, PASSWORD, now)

    first_factor.give_address(flow_id, "bert@example.com", browser=a_browser(), now=now)

    flow = load(flow_id, now)
    assert (flow.email, flow.person_id, flow.first_factor_at) == ("bert@example.com", None, None)


@pytest.mark.security("2.1")
@pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com"])
def test_after_five_wrong_passwords_even_the_right_one_waits(now, email):
    a_person()
    for _ in range(5):
        assert prove(a_flow(now, email), "wrong", now) == Wrong()

    assert prove(a_flow(now, email), PASSWORD, now) == Throttled(retry_after=30, for_good=False)


@pytest.mark.security("2.1")
@pytest.mark.security("15.2")
@pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com"])
def test_fifty_wrong_passwords_at_once_do_not_pass_the_limit(identity_app, now, email):
    a_person()
    flow_ids = iter([a_flow(now, email) for _ in range(50)])

    answers = all_at_once(identity_app, 50, lambda: prove(next(flow_ids), "wrong", now))

    assert answers.count(Wrong()) == 5
    assert sum(isinstance(answer, Throttled) for answer in answers) == 45


@pytest.mark.security("2.2")
def test_a_known_device_signs_in_while_strangers_are_held_up(now):
    secret = a_device(a_person(), now, remember=True)
    for _ in range(6):
        prove(a_flow(now), "wrong", now)

    assert isinstance(prove(a_flow(now), PASSWORD, now, device_secret=secret), Proved)


def test_a_right_password_ends_the_row_of_failures(now):
    a_person()
    for _ in range(4):
        prove(a_flow(now), "wrong", now)
    prove(a_flow(now), PASSWORD, now)

    answers = [prove(a_flow(now), "wrong", now) for _ in range(6)]

    assert answers[:5] == [Wrong()] * 5
    assert isinstance(answers[5], Throttled)


@pytest.mark.product("ID-8")
@pytest.mark.security("1.5")
def test_an_old_hash_is_renewed_at_sign_in(now):
    person_id = a_person(password_=None)
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_=weak, now=now)

    prove(a_flow(now), PASSWORD, now)

    with db.reading() as session:
        stored = password.stored_hash(session, person_id=person_id)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert isinstance(prove(a_flow(now), PASSWORD, now), Proved)


def test_a_password_that_is_changed_while_it_is_checked_does_not_count(now, monkeypatch):
    person_id = a_person()
    flow_id = a_flow(now)
    real = hashing()

    class Slow:
        def verify(self, stored, typed):
            verdict = real.verify(stored, typed)
            with db.transaction() as session:
                password.store(session, person_id=person_id, hash_="changed", now=now)
            return verdict

    monkeypatch.setattr(first_factor, "hashing", Slow)

    assert prove(flow_id, PASSWORD, now) == Wrong()
    assert load(flow_id, now).first_factor_at is None


@pytest.mark.security("4.5")
def test_a_device_that_is_forgotten_while_the_password_is_checked_asks_for_the_second_factor(
    now, monkeypatch
):
    person_id = a_person()
    secret = a_device(person_id, now, remember=True)
    flow_id = a_flow(now)
    real = hashing()

    class Slow:
        def verify(self, stored, typed):
            verdict = real.verify(stored, typed)
            with db.transaction() as session:
                devices.forget(session, person_id=person_id, now=now)
            return verdict

    monkeypatch.setattr(first_factor, "hashing", Slow)

    assert prove(flow_id, PASSWORD, now, device_secret=secret) == Proved(None)
    assert load(flow_id, now).first_factor_at == now


@pytest.mark.security("2.8")
def test_the_person_is_told_of_a_success_after_many_failures(now, mailroom):
    a_person()
    for minute in range(6):
        prove(a_flow(now + timedelta(hours=minute)), "wrong", now + timedelta(hours=minute))
    later = now + timedelta(hours=7)

    prove(a_flow(later), PASSWORD, later)

    subjects = [mail.subject for mail in mailroom.deliver()]
    assert "A sign-in after many wrong passwords" in subjects


@pytest.mark.security("17.1")
@pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com"])
def test_the_ledger_holds_one_row_a_limit_window_and_not_one_a_try(now, email):
    person_id = a_person()
    for _ in range(9):
        prove(a_flow(now, email), "wrong", now)

    chain = person_chain(person_id) if email.startswith("anna") else INSTALLATION
    with db.reading() as session:
        rows = ledger.history(session, chain=chain)
    assert [row.event for row in rows] == [IdpEvent.SIGN_IN_PASSWORD_THROTTLED]
    assert rows[0].details == {"failures": 5}


def an_imported_person(stored, email="anna@example.com", milliseconds=50):
    person_id = a_person(email, password_=None)
    with db.transaction() as session:
        imported = password.ImportedHash(person_id, stored, milliseconds)
        password.adopt(session, [imported], now=LONG_AGO)
    return person_id


def stored_password(person_id):
    with db.reading() as session:
        return session.get_one(Password, person_id)


@pytest.mark.product("ID-8")
@pytest.mark.security("1.5")
@pytest.mark.parametrize(("kind", "stored"), HASHES)
def test_an_imported_hash_is_renewed_at_the_first_sign_in(now, kind, stored):
    person_id = an_imported_person(stored)

    assert isinstance(prove(a_flow(now), "another one", now), Wrong)
    assert isinstance(prove(a_flow(now), THEIRS, now), Proved)

    renewed = stored_password(person_id)
    assert renewed.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (renewed.imported_milliseconds, renewed.changed_at) == (None, LONG_AGO)
    assert isinstance(prove(a_flow(now), THEIRS, now), Proved)
    assert not hashing().verify(renewed.hash, THEIRS).is_outdated


@pytest.mark.product("ID-8")
def test_a_password_that_changes_while_an_imported_hash_is_renewed_stays_changed(now, monkeypatch):
    person_id = an_imported_person(BCRYPT)
    flow_id = a_flow(now)
    real, theirs = hashing(), hashing().hash("a password of another browser")

    class Slow:
        def hash(self, whole):
            with db.transaction() as session:
                password.store(session, person_id=person_id, hash_=theirs, now=now)
            return real.hash(whole)

        verify = real.verify

    monkeypatch.setattr(first_factor, "hashing", Slow)

    assert prove(flow_id, THEIRS, now) == Wrong()
    assert stored_password(person_id).hash == theirs


def test_twenty_first_sign_ins_at_once_renew_the_hash_once(identity_app, now):
    person_id = an_imported_person(BCRYPT)
    flow_ids = iter([a_flow(now) for _ in range(20)])
    lock = threading.Lock()

    def sign_in():
        with lock:
            flow_id = next(flow_ids)
        return prove(flow_id, THEIRS, now)

    answers = all_at_once(identity_app, 20, sign_in)

    assert all(isinstance(answer, Proved | Wrong | Throttled | Overloaded) for answer in answers)
    assert any(isinstance(answer, Proved) for answer in answers)
    assert hashing().verify(stored_password(person_id).hash, THEIRS).matches
