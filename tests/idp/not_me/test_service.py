from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from idp.credentials import email_code, passkeys, password, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.mailbox import service as mailbox
from idp.mails.service import Recipient
from idp.not_me import links, locks, service
from idp.not_me.links import Added, Factor
from idp.not_me.locks import Locked, Reason
from idp.not_me.models import NotMeLink
from idp.not_me.service import LinkSpent
from idp.protocol import acr
from idp.recovery import service as recovery
from idp.recovery.service import MailboxNotProved
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.sign_in.completion import complete
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tests.idp.race import all_at_once
from tests.idp.security_key import a_passkey
from tests.idp.sign_in.test_password import a_browser, a_flow
from tests.idp.visitor import NEW_PASSWORD, a_person, a_sheet, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"


@pytest.fixture
def person_id():
    return a_person()


def a_link(person_id, now, *, notice="new_device", added=None):
    with db.transaction() as session:
        return links.issue(session, person_id=person_id, notice=notice, added=added, now=now)


def refuse(token, now, browser=None):
    return service.refuse(token, browser=browser or a_browser(), return_to="/account", now=now)


def enter(person_id, now, *, remember=False, **browser):
    with db.transaction() as session:
        return complete(
            session,
            person_id=person_id,
            recipient=Recipient(ANNA, "en"),
            amr=[acr.PASSWORD, acr.MAILED_CODE],
            acr=acr.MAIL_CODE,
            remember=remember,
            browser=a_browser(**browser),
            now=now,
        )


def is_signed_in(cookies, now):
    with db.reading() as session:
        return sessions.find_by_secret(session, cookies.session, now=now) is not None


def rows_of(person_id):
    with db.reading() as session:
        return ledger.history(session, chain=person_chain(person_id))


@pytest.mark.product("ID-7")
@pytest.mark.security("5.5")
def test_one_click_locks_the_id_and_ends_every_session(person_id, now):
    here, there = enter(person_id, now), enter(person_id, now)

    refuse(a_link(person_id, now), now)

    assert not is_signed_in(here, now)
    assert not is_signed_in(there, now)
    with pytest.raises(Locked):
        enter(person_id, now)


@pytest.mark.security("4.7")
def test_no_device_stays_remembered(person_id, now):
    cookies = enter(person_id, now, remember=True)

    refuse(a_link(person_id, now), now)

    with db.reading() as session:
        assert devices.remembered(session, person_id=person_id, now=now) == []
        device = devices.find(session, person_id=person_id, secret=cookies.device)
    assert device is not None
    assert not device.is_remembered(now)


@pytest.mark.security("2.7")
def test_what_was_proved_in_a_flow_under_way_counts_no_more(person_id, now):
    flow_id = a_flow(now)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, b"b" * 32, now)
        flow.person_id, flow.first_factor_at, flow.first_factor_amr = person_id, now, acr.PASSWORD

    refuse(a_link(person_id, now), now)

    with db.reading() as session:
        found = flows.load(session, flow_id, b"b" * 32, now)
    assert found.person_id is None
    assert found.first_factor_at is None


@pytest.mark.security("3.1")
def test_a_reset_that_is_under_way_elsewhere_is_void(person_id, now):
    with db.transaction() as session:
        flow_id = mailbox.begin_proved(
            session,
            email=ANNA,
            purpose=Purpose.RESET,
            browser=a_browser(id_hash=b"x" * 32),
            return_to="/",
            now=now,
        )

    refuse(a_link(person_id, now), now + timedelta(seconds=1))

    with pytest.raises(MailboxNotProved):
        recovery.finish(
            str(flow_id),
            NEW_PASSWORD,
            browser=a_browser(id_hash=b"x" * 32),
            now=now + timedelta(seconds=2),
        )


@pytest.mark.security("3.1")
def test_a_code_that_was_mailed_before_resets_nothing(person_id, now):
    asked = mailbox.ask(
        None, purpose=Purpose.RESET, email=ANNA, browser=a_browser(), return_to="/", now=now
    )
    later = now + timedelta(seconds=1)
    refuse(a_link(person_id, now), later)
    with db.transaction() as session:
        flow = flows.lock(session, asked.flow_id, b"b" * 32, later)
        flow.mailbox_email, flow.mailbox_proven_at = ANNA, later
        flow.mailbox_proven_for = Purpose.RESET
        sent_at = email_code.last_sent_at(session, flow_id=flow.id, purpose=Purpose.RESET)
    assert sent_at == now

    with pytest.raises(MailboxNotProved):
        recovery.proved_email(str(asked.flow_id), browser=a_browser(), now=later)


@pytest.mark.product("ID-7")
@pytest.mark.security("3.5")
def test_the_link_leads_to_a_new_password_which_unlocks_and_signs_nobody_in(person_id, now):
    an_authenticator(person_id, now=now)

    flow_id = refuse(a_link(person_id, now), now)
    assert recovery.finish(str(flow_id), NEW_PASSWORD, browser=a_browser(), now=now) is None

    with db.reading() as session:
        assert not locks.is_locked(session, person_id=person_id)
        assert totp.is_enrolled(session, person_id=person_id)
        assert session.scalar(select(func.count()).select_from(BrowserSession)) == 0
    reset = rows_of(person_id)[0]
    assert (reset.event, reset.details) == (IdpEvent.PASSWORD_RESET, {"unlocked": True})


@pytest.mark.security("4.6")
def test_the_app_that_the_notice_said_was_added_is_taken_away(person_id, now):
    an_authenticator(person_id, now=now)
    a_sheet(person_id, now=now)
    with db.reading() as session:
        totp_id = totp.enrolled_id(session, person_id=person_id)
    assert totp_id is not None
    token = a_link(
        person_id,
        now,
        notice="authenticator_added",
        added=Added(Factor.AUTHENTICATOR, totp_id),
    )

    assert service.ask(token, now=now).added is Factor.AUTHENTICATOR
    refuse(token, now)

    with db.reading() as session:
        assert not totp.is_enrolled(session, person_id=person_id)
        assert recovery_codes.remaining(session, person_id=person_id) == 0
    assert [row.event for row in rows_of(person_id)] == [
        IdpEvent.AUTHENTICATOR_REMOVED,
        IdpEvent.SIGN_IN_LOCKED,
    ]


@pytest.mark.security("4.6")
def test_an_app_that_took_the_place_of_the_one_in_the_notice_stays(person_id, now):
    an_authenticator(person_id, now=now)
    with db.reading() as session:
        before = totp.enrolled_id(session, person_id=person_id)
    assert before is not None
    an_authenticator(person_id, now=now)
    token = a_link(person_id, now, added=Added(Factor.AUTHENTICATOR, before))

    refuse(token, now)

    with db.reading() as session:
        assert totp.enrolled_id(session, person_id=person_id) not in {None, before}
    assert [row.event for row in rows_of(person_id)] == [IdpEvent.SIGN_IN_LOCKED]


@pytest.mark.security("4.6")
def test_recovery_codes_that_somebody_else_made_count_no_more(person_id, now):
    an_authenticator(person_id, now=now)
    a_sheet(person_id, now=now)
    token = a_link(person_id, now, added=Added(Factor.RECOVERY_CODES, person_id))

    refuse(token, now)

    with db.reading() as session:
        assert recovery_codes.remaining(session, person_id=person_id) == 0
        assert totp.is_enrolled(session, person_id=person_id)
    assert rows_of(person_id)[0].event == IdpEvent.RECOVERY_CODES_VOIDED


@pytest.mark.security("4.6")
def test_a_notice_about_something_else_takes_no_factor_away(person_id, now):
    an_authenticator(person_id, now=now)
    a_sheet(person_id, now=now)

    refuse(a_link(person_id, now), now)

    with db.reading() as session:
        assert totp.is_enrolled(session, person_id=person_id)
        assert recovery_codes.remaining(session, person_id=person_id) == 10


@pytest.mark.security("2.8")
@pytest.mark.security("17.1")
def test_it_is_on_record_and_confirmed_by_mail(person_id, now, mailroom):
    enter(person_id, now, remember=True)

    refuse(a_link(person_id, now), now)

    row = rows_of(person_id)[0]
    assert (row.event, row.result, row.actor) == (
        IdpEvent.SIGN_IN_LOCKED,
        "success",
        str(person_id),
    )
    assert row.details == {
        "reason": Reason.NOT_ME,
        "notice": "new_device",
        "sessions_ended": 1,
        "devices_forgotten": 1,
    }
    assert row.personal == {"address": "192.0.2.7", "user_agent": "Firefox"}
    assert mailroom.to(ANNA).subject == "Your ID is locked"


@pytest.mark.security("3.2")
def test_asking_changes_nothing(person_id, now):
    token = a_link(person_id, now)

    question = service.ask(token, now=now)

    assert (question.email, question.notice, question.sent_at) == (ANNA, "new_device", now)
    with db.reading() as session:
        assert not locks.is_locked(session, person_id=person_id)


@pytest.mark.security("3.1")
@pytest.mark.parametrize("token", ["", "unknown", "x" * 200])
def test_a_link_that_nobody_was_sent_asks_and_locks_nothing(person_id, now, token):
    with pytest.raises(LinkSpent):
        service.ask(token, now=now)
    with pytest.raises(LinkSpent):
        refuse(token, now)


@pytest.mark.security("3.1")
@pytest.mark.security("15.2")
def test_of_fifty_clicks_at_once_one_locks(identity_app, person_id, now):
    token = a_link(person_id, now)

    answers = all_at_once(identity_app, 50, lambda: refuse(token, now))

    assert sum(isinstance(answer, LinkSpent) for answer in answers) == 49
    assert [row.event for row in rows_of(person_id)] == [IdpEvent.SIGN_IN_LOCKED]
    with db.reading() as session:
        assert session.scalar(select(func.count(NotMeLink.used_at))) == 1


@pytest.mark.security("15.2")
@pytest.mark.security("5.5")
def test_nobody_who_signs_in_meanwhile_stays_signed_in(identity_app, person_id, now):
    token = a_link(person_id, now)
    turns = iter([True] + [False] * 49)

    def act():
        return refuse(token, now) if next(turns) else enter(person_id, now, remember=True)

    answers = all_at_once(identity_app, 50, act)

    unforeseen = [
        each for each in answers if isinstance(each, Exception) and not isinstance(each, Locked)
    ]
    assert unforeseen == []
    with db.reading() as session:
        assert sessions.open_sessions(session, person_id=person_id, now=now) == []
        assert devices.remembered(session, person_id=person_id, now=now) == []


def test_the_operator_locks_and_opens(person_id, now):
    cookies = enter(person_id, now)
    with db.transaction() as session:
        person = people.find(session, person_id)
        assert person is not None
        shut = service.shut(session, person, reason=Reason.OPERATOR, now=now)
    assert (shut.sessions, shut.devices) == (1, 0)
    assert not is_signed_in(cookies, now)

    with db.transaction() as session:
        assert service.open_again(session, person, now=now)
        assert not service.open_again(session, person, now=now)

    events = [(row.event, row.actor) for row in rows_of(person_id)][:2]
    assert events == [
        (IdpEvent.SIGN_IN_UNLOCKED, "operator"),
        (IdpEvent.SIGN_IN_LOCKED, "operator"),
    ]
    assert is_signed_in(enter(person_id, now), now)


def test_an_id_without_a_password_gets_one(now):
    person_id = a_person("bert@example.com", password_=None)

    flow_id = refuse(a_link(person_id, now), now)
    recovery.finish(str(flow_id), NEW_PASSWORD, browser=a_browser(), now=now)

    with db.reading() as session:
        assert password.changed_at(session, person_id=person_id) == now


@pytest.mark.product("ID-7")
@pytest.mark.security("4.6")
def test_the_passkey_that_the_notice_said_was_added_is_taken_away_and_no_other(person_id, now):
    for _ in range(2):
        a_passkey(person_id, now=now)
    with db.reading() as session:
        own, stranger = passkeys.of_person(session, person_id=person_id)
    a_sheet(person_id, now=now - timedelta(days=30))
    token = a_link(person_id, now, notice="passkey_added", added=Added(Factor.PASSKEY, stranger.id))

    refuse(token, now)

    with db.reading() as session:
        left = passkeys.of_person(session, person_id=person_id)
        assert [each.id for each in left] == [own.id]
        assert recovery_codes.remaining(session, person_id=person_id) == 10
    assert rows_of(person_id)[0].event == IdpEvent.PASSKEY_REMOVED


@pytest.mark.security("4.6")
def test_recovery_codes_do_not_outlive_the_last_factor(person_id, now):
    a_passkey(person_id, now=now)
    with db.reading() as session:
        (stranger,) = passkeys.of_person(session, person_id=person_id)
    a_sheet(person_id, now=now - timedelta(days=30))

    refuse(a_link(person_id, now, added=Added(Factor.PASSKEY, stranger.id)), now)

    with db.reading() as session:
        assert recovery_codes.remaining(session, person_id=person_id) == 0


def beside(app, act):
    """Do something in a thread, and say what came of it once the caller lets it go on."""

    def run():
        with app.app_context():
            try:
                return act()
            except Exception as refused:
                return refused

    pool = ThreadPoolExecutor(1)
    going = pool.submit(run)
    wait([going], timeout=0.5)
    pool.shutdown(wait=False)
    return going


@pytest.mark.security("15.2")
def test_a_sign_in_that_has_begun_is_waited_for_and_ended(identity_app, person_id, now):
    token = a_link(person_id, now)
    device = enter(person_id, now).device
    with db.transaction() as session:
        complete(
            session,
            person_id=person_id,
            recipient=Recipient(ANNA, "en"),
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            browser=a_browser(device_secret=device),
            now=now,
        )
        locking = beside(identity_app, lambda: refuse(token, now))
        assert not locking.done()

    assert not isinstance(locking.result(timeout=20), Exception)
    with db.reading() as session:
        assert sessions.open_sessions(session, person_id=person_id, now=now) == []


@pytest.mark.security("15.2")
def test_a_sign_in_that_begins_meanwhile_finds_the_lock(identity_app, person_id, now):
    device = enter(person_id, now).device
    with db.transaction() as session:
        person = people.find(session, person_id)
        assert person is not None
        service.shut(session, person, reason=Reason.NOT_ME, now=now)
        signing_in = beside(identity_app, lambda: enter(person_id, now, device_secret=device))
        assert not signing_in.done()

    assert isinstance(signing_in.result(timeout=20), Locked)
    with db.reading() as session:
        assert sessions.open_sessions(session, person_id=person_id, now=now) == []


@pytest.mark.security("3.1")
def test_locking_again_voids_a_reset_that_was_to_open_the_first_lock(person_id, now):
    first = refuse(a_link(person_id, now), now)
    later = now + timedelta(minutes=1)

    refuse(a_link(person_id, now), later, browser=a_browser(id_hash=b"x" * 32))

    with pytest.raises(MailboxNotProved):
        recovery.finish(str(first), NEW_PASSWORD, browser=a_browser(), now=later)
