from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from idp.credentials import email_code, password, recovery_codes
from idp.credentials.email_code import Purpose
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import FlowExpired
from idp.mailbox import service as mailbox
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from idp.sign_in import code as second_factor
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.prover import NothingToProve
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.models import Person
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser, a_flow, load
from tests.idp.sign_in.test_password import prove as prove_password
from tests.idp.visitor import PASSWORD, a_person, a_sheet, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")


def half_way(now):
    flow_id = a_flow(now)
    assert prove_password(flow_id, PASSWORD, now) == Proved(cookies=None)
    return flow_id


def prove(flow_id, text, now, remember=False, **browser):
    return second_factor.prove(
        flow_id, text=text, remember=remember, browser=a_browser(**browser), now=now
    )


def signed_in(outcome, now):
    with db.reading() as session:
        return sessions.find_by_secret(session, outcome.cookies.session, now=now)


def events_of(person_id):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=person_chain(person_id))]


@pytest.mark.product("ID-6")
def test_a_code_from_the_mail_signs_in(now, mailroom):
    a_person()
    flow_id = half_way(now)

    outcome = prove(flow_id, mailroom.code_to("anna@example.com"), now)

    me = signed_in(outcome, now)
    assert (me.acr, me.amr) == (acr.MAIL_CODE, (acr.PASSWORD, acr.MAILED_CODE))


@pytest.mark.product("ID-6")
def test_a_code_from_the_app_signs_in(now):
    app = an_authenticator(a_person(), now=now)

    me = signed_in(prove(half_way(now), app.at(now), now), now)

    assert me.acr == acr.TWO_FACTOR
    assert me.amr == (acr.PASSWORD, acr.ONE_TIME_CODE, acr.SEVERAL_FACTORS)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
def test_a_recovery_code_signs_in_and_the_person_is_told(now, mailroom):
    person_id = a_person()
    an_authenticator(person_id, now=now)
    code = a_sheet(person_id, now=now)[0]

    me = signed_in(prove(half_way(now), code.lower(), now), now)

    assert (me.acr, me.amr) == (
        acr.TWO_FACTOR,
        (acr.PASSWORD, acr.RECOVERY_CODE, acr.SEVERAL_FACTORS),
    )
    assert "Codes that are left: 9" in mailroom.to("anna@example.com").text
    assert IdpEvent.RECOVERY_CODE_USED in events_of(person_id)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.4")
def test_who_has_an_app_gets_no_code_by_mail_and_none_is_accepted(now, mailroom):
    person_id = a_person()
    flow_id = half_way(now)
    mailed = mailroom.code_to("anna@example.com")
    an_authenticator(person_id, now=now)

    second_factor.send(flow_id, browser=a_browser(), now=now)

    assert prove(flow_id, mailed, now) == Wrong()
    assert mailroom.deliver() == []


@pytest.mark.security("2.7")
@pytest.mark.security("4.5")
def test_a_code_without_a_password_proves_nothing(now):
    a_person()

    with pytest.raises(NothingToProve):
        prove(a_flow(now), "12345678", now)


@pytest.mark.security("2.7")
def test_a_mailed_code_of_one_flow_is_worthless_in_another(now, mailroom):
    a_person()
    first = half_way(now)
    code = mailroom.code_to("anna@example.com")
    second = half_way(now)

    assert prove(second, code, now) == Wrong()
    assert isinstance(prove(first, code, now), Proved)


@pytest.mark.security("2.7")
def test_a_mailed_code_of_one_person_is_worthless_for_another_in_the_same_flow(now, mailroom):
    a_person()
    a_person("bert@example.com")
    flow_id = half_way(now)
    code = mailroom.code_to("anna@example.com")

    prove_password(flow_id, PASSWORD, now, email="bert@example.com")

    assert prove(flow_id, code, now) == Wrong()


def test_somebody_who_is_blocked_half_way_gets_no_further(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    flow_id = half_way(now)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    with pytest.raises(NothingToProve):
        prove(flow_id, app.at(now), now)


@pytest.mark.product("ID-8")
@pytest.mark.security("5.5")
def test_a_sign_in_that_is_half_done_ends_with_a_change_of_the_password(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    flow_id = half_way(now)
    with db.transaction() as session:
        later = now + timedelta(seconds=1)
        password.store(session, person_id=person_id, hash_="changed", now=later)

    with pytest.raises(NothingToProve):
        prove(flow_id, app.at(now), now)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
@pytest.mark.security("2.8")
def test_five_wrong_codes_lead_back_to_the_password_and_the_person_is_told(now, mailroom):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    flow_id = half_way(now)

    outcomes = [prove(flow_id, "000000", now) for _ in range(5)]

    assert outcomes[:4] == [Wrong()] * 4
    assert isinstance(outcomes[4], Exhausted)
    with pytest.raises(FlowExpired):
        prove(flow_id, app.at(now), now)
    fresh = load(str(outcomes[4].flow_id), now)
    assert (fresh.email, fresh.first_factor_at) == ("anna@example.com", None)
    assert mailroom.to("anna@example.com").subject == "Somebody knows your password"
    assert IdpEvent.SIGN_IN_CODE_EXHAUSTED in events_of(person_id)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
def test_codes_are_counted_over_all_flows(now):
    an_authenticator(a_person(), now=now)
    outcomes = []
    for _ in range(3):
        flow_id = half_way(now)
        outcomes += [prove(flow_id, "000000", now) for _ in range(4)]

    assert [type(outcome) for outcome in outcomes] == [Wrong] * 10 + [Throttled] * 2


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
def test_recovery_codes_are_counted_with_the_others(now, monkeypatch):
    """The hash is left out: what is tried out is the counting, which comes before it."""
    person_id = a_person()
    an_authenticator(person_id, now=now)
    a_sheet(person_id, now=now)
    outcomes, hashed = [], []

    def hash_of(_hashing, *, code, salt):
        hashed.append(code)
        return b"wrong"

    monkeypatch.setattr(recovery_codes, "hash_of", hash_of)
    for _ in range(3):
        flow_id = half_way(now)
        outcomes += [prove(flow_id, "0000-0000-0000-0000", now) for _ in range(4)]

    assert [type(outcome) for outcome in outcomes] == [Wrong] * 10 + [Throttled] * 2
    assert len(hashed) == 10


@pytest.mark.security("2.2")
def test_a_known_device_may_try_its_code_while_a_stranger_is_held_up(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    with db.transaction() as session:
        secret = devices.recognise(
            session,
            person_id=person_id,
            secret=None,
            remember=False,
            where=Whereabouts(),
            now=now,
        ).secret
    for _ in range(3):
        flow_id = half_way(now)
        for _ in range(4):
            prove(flow_id, "000000", now)

    flow_id = a_flow(now)
    prove_password(flow_id, PASSWORD, now, device_secret=secret)

    assert isinstance(prove(flow_id, app.at(now), now, device_secret=secret), Proved)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
@pytest.mark.security("15.2")
def test_fifty_wrong_codes_at_once_are_five(identity_app, now):
    an_authenticator(a_person(), now=now)
    flow_id = half_way(now)

    answers = all_at_once(identity_app, 50, lambda: prove(flow_id, "000000", now))

    assert answers.count(Wrong()) == 4
    assert sum(isinstance(answer, Exhausted) for answer in answers) == 1
    assert sum(isinstance(answer, FlowExpired) for answer in answers) == 45


@pytest.mark.product("ID-6")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_code_of_the_app_at_once_one_signs_in(identity_app, now):
    app = an_authenticator(a_person(), now=now)
    flow_ids = iter([half_way(now) for _ in range(50)])

    answers = all_at_once(identity_app, 50, lambda: prove(next(flow_ids), app.at(now), now))

    assert sum(isinstance(answer, Proved) for answer in answers) == 1
    assert all(isinstance(answer, Proved | Wrong | Throttled) for answer in answers)


@pytest.mark.product("ID-6")
@pytest.mark.security("15.2")
def test_of_many_with_one_recovery_code_at_once_one_signs_in(identity_app, now):
    person_id = a_person()
    an_authenticator(person_id, now=now)
    code = a_sheet(person_id, now=now)[0]
    flow_ids = iter([half_way(now) for _ in range(8)])

    answers = all_at_once(identity_app, 8, lambda: prove(next(flow_ids), code, now))

    assert sum(isinstance(answer, Proved) for answer in answers) == 1
    assert answers.count(Wrong()) == 7


@pytest.mark.product("ID-6")
@pytest.mark.security("4.7")
def test_a_device_is_remembered_only_when_asked_to(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)

    secret = prove(half_way(now), app.at(now), now).cookies.device
    later = now + timedelta(minutes=1)
    again = prove(half_way(later), app.at(later), later, remember=True, device_secret=secret)

    assert again.cookies.device == secret
    last = now + timedelta(minutes=2)
    assert prove_password(a_flow(last), PASSWORD, last, device_secret=secret).cookies is not None


@pytest.mark.security("4.9")
@pytest.mark.security("5.3")
def test_stepping_up_keeps_the_session_its_age_and_its_factors_but_not_its_secret(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD, acr.REMEMBERED_DEVICE],
            acr=acr.SINGLE_FACTOR,
            where=Whereabouts(),
            now=now,
        )
        before = sessions.find_by_secret(session, secret, now=now)
    later = now + timedelta(minutes=10)

    outcome = prove(a_flow(later, None), app.at(later), later, signed_in=before)

    after = signed_in(outcome, later)
    assert (after.session_id, after.auth_time) == (before.session_id, now)
    assert (after.acr, after.amr) == (
        acr.TWO_FACTOR,
        (acr.PASSWORD, acr.ONE_TIME_CODE, acr.SEVERAL_FACTORS),
    )
    with db.reading() as session:
        assert sessions.find_by_secret(session, secret, now=later) is None


def test_the_page_knows_what_to_ask_for(now):
    person_id = a_person()
    flow_id = half_way(now)

    by_mail = second_factor.ask(flow_id, browser=a_browser(), now=now)
    an_authenticator(person_id, now=now)
    by_app = second_factor.ask(flow_id, browser=a_browser(), now=now)

    assert (by_mail.by_mail, by_mail.was_sent, by_mail.is_step_up) == (True, True, False)
    assert by_app.by_mail is False


@pytest.mark.security("3.11")
def test_codes_to_one_person_are_capped_and_nobody_is_told(now, mailroom):
    a_person()
    flow_id = half_way(now)

    for _ in range(20):
        second_factor.send(flow_id, browser=a_browser(), now=now)

    assert len(mailroom.deliver()) == 10


def test_a_flow_of_another_browser_is_unknown(now):
    a_person()
    flow_id = half_way(now)

    with pytest.raises(FlowExpired):
        prove(flow_id, "12345678", now, id_hash=b"o" * 32)
    with db.reading() as session:
        assert flows.load(session, flow_id, b"b" * 32, now).second_factor_failures == 0


@pytest.mark.security("4.4")
def test_after_a_reset_by_mail_a_mailed_code_adds_nothing(now, mailroom):
    """Whoever reads the mailbox alone must not get more by posting past the page."""
    person_id = a_person()
    with db.transaction() as session:
        flow_id = str(
            mailbox.begin_proved(
                session,
                email="anna@example.com",
                purpose=Purpose.RESET,
                browser=a_browser(),
                return_to="/",
                now=now,
            )
        )
    me = signed_in(prove_password(flow_id, PASSWORD, now), now)
    assert me.acr == acr.SINGLE_FACTOR

    second_factor.send(flow_id, browser=a_browser(signed_in=me), now=now)
    with db.transaction() as session:
        code = email_code.issue(
            session,
            flow_id=UUID(flow_id),
            purpose=Purpose.SIGN_IN,
            recipient=str(person_id),
            now=now,
        )

    assert prove(flow_id, code, now, signed_in=me) == Wrong()
    assert mailroom.deliver() == []
