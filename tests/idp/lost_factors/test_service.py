from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import update

from idp.credentials import lost_factors, password, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.credentials.lost_factors import State
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.lost_factors import service
from idp.lost_factors.service import (
    MailboxNotProved,
    NothingLost,
    NotReady,
    PasswordMissing,
    TooMany,
)
from idp.mails.service import Recipient
from idp.not_me import locks
from idp.not_me.locks import Locked, Reason
from idp.not_me.service import shut
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.prover import TRIES_IN_FLOW
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.models import Person
from tests.idp.lost_factors.requests import (
    ANNA,
    a_flow_with_a_password,
    a_request,
    an_approved_request,
    anna_with_an_app,
)
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser, a_device
from tests.idp.visitor import a_person, a_sheet

pytestmark = pytest.mark.usefixtures("identity_app")

WAITED = timedelta(hours=72)


def ask(flow_id, now, contact="+48 600 700 800", note=""):
    return service.ask(flow_id, contact=contact, note=note, browser=a_browser(), now=now)


def finish(flow_id, now, **browser):
    return service.finish(flow_id, browser=a_browser(**browser), now=now)


def prove(flow_id, text, now):
    return service.prove(flow_id, text=text, browser=a_browser(), now=now)


def events_of(person_id):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=person_chain(person_id))]


def state_of(person_id, now):
    with db.reading() as session:
        return lost_factors.latest(session, person_id=person_id).state(now)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
def test_a_request_is_on_record_and_told_to_the_mailbox(now, mailroom):
    person_id = anna_with_an_app(now)

    request = ask(a_flow_with_a_password(person_id, now), now, note="Lost in the river")

    assert (request.contact, request.note) == ("+48 600 700 800", "Lost in the river")
    assert IdpEvent.LOST_FACTORS_ASKED in events_of(person_id)
    assert mailroom.to(ANNA).subject == "Somebody asked to have your factors removed"


@pytest.mark.security("3.6")
@pytest.mark.security("2.7")
def test_without_the_mailbox_nothing_is_asked(now):
    person_id = anna_with_an_app(now)

    with pytest.raises(MailboxNotProved):
        ask(a_flow_with_a_password(person_id, now, proved=False), now)

    assert IdpEvent.LOST_FACTORS_ASKED not in events_of(person_id)


@pytest.mark.security("2.7")
@pytest.mark.parametrize("purpose", [Purpose.RESET, Purpose.REGISTRATION, None])
def test_a_mailbox_that_was_proved_for_something_else_does_not_count(now, purpose):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        flows.lock(session, flow_id, b"b" * 32, now).mailbox_proven_for = purpose

    with pytest.raises(MailboxNotProved):
        ask(flow_id, now)


@pytest.mark.security("3.6")
def test_somebody_elses_mailbox_does_not_count(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        flows.lock(session, flow_id, b"b" * 32, now).mailbox_email = "bert@example.com"

    with pytest.raises(MailboxNotProved):
        ask(flow_id, now)


@pytest.mark.security("3.6")
@pytest.mark.security("4.5")
def test_without_the_password_the_pages_do_not_exist(now):
    anna_with_an_app(now)
    with db.transaction() as session:
        flow_id = str(flows.start(session, browser_hash=b"b" * 32, email=ANNA, now=now).id)

    for act in (service.look, service.send, service.finish):
        with pytest.raises(PasswordMissing):
            act(flow_id, browser=a_browser(), now=now)


@pytest.mark.security("2.7")
def test_a_passkey_in_the_place_of_the_password_does_not_count(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        flows.lock(session, flow_id, b"b" * 32, now).first_factor_amr = "swk"

    with pytest.raises(PasswordMissing):
        service.look(flow_id, browser=a_browser(), now=now)


@pytest.mark.security("3.1")
def test_a_password_that_was_changed_since_does_not_count(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="x", now=now + timedelta(seconds=1))

    with pytest.raises(PasswordMissing):
        ask(flow_id, now + timedelta(seconds=2))


def test_who_is_blocked_asks_for_nothing(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    with pytest.raises(PasswordMissing):
        ask(flow_id, now)


def test_who_is_locked_sets_a_new_password_first(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=Reason.NOT_ME, now=now)

    with pytest.raises(Locked):
        ask(flow_id, now)


@pytest.mark.security("3.6")
def test_locking_the_id_ends_the_request(now):
    person_id = anna_with_an_app(now)
    a_request(person_id, now)

    with db.transaction() as session:
        anna = people.find(session, person_id)
        assert anna is not None
        shut(session, anna, reason=Reason.NOT_ME, now=now)

    assert state_of(person_id, now) is State.LOCKED


def test_who_has_no_strong_factor_has_lost_none(now):
    person_id = a_person(ANNA)

    with pytest.raises(NothingLost):
        service.look(a_flow_with_a_password(person_id, now), browser=a_browser(), now=now)


@pytest.mark.security("15.2")
def test_of_fifty_who_ask_at_once_one_makes_the_only_request(identity_app, now):
    person_id = anna_with_an_app(now)
    flow_ids = [a_flow_with_a_password(person_id, now) for _ in range(50)]

    answers = all_at_once(identity_app, 50, lambda: ask(flow_ids.pop(), now))

    assert len({answer.id for answer in answers if not isinstance(answer, TooMany)}) == 1
    assert events_of(person_id).count(IdpEvent.LOST_FACTORS_ASKED) == 1


def test_who_asks_again_finds_the_request_that_is_open(now):
    person_id = anna_with_an_app(now)
    first = ask(a_flow_with_a_password(person_id, now), now)

    assert ask(a_flow_with_a_password(person_id, now), now).id == first.id


@pytest.mark.security("2.1")
def test_three_requests_a_week_are_enough(now):
    person_id = anna_with_an_app(now)
    for _ in range(3):
        ask(a_flow_with_a_password(person_id, now), now)
        with db.transaction() as session:
            lost_factors.end(
                session, person_id=person_id, outcome=lost_factors.Outcome.FOUND, now=now
            )

    refused = ask(a_flow_with_a_password(person_id, now), now)

    assert refused == TooMany(now + timedelta(days=7))


@pytest.mark.product("ID-6")
def test_after_a_request_lapsed_another_one_is_made(now):
    person_id = anna_with_an_app(now)
    first = ask(a_flow_with_a_password(person_id, now), now)
    later = now + timedelta(days=14)

    second = ask(a_flow_with_a_password(person_id, later), later)

    assert second.id != first.id
    assert second.state(later) is State.ASKED


@pytest.mark.security("3.1")
def test_a_proof_makes_one_request(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now)
    ask(flow_id, now)

    with pytest.raises(MailboxNotProved):
        ask(flow_id, now)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
def test_after_the_waiting_time_every_factor_goes_and_one_is_signed_in(now, mailroom):
    person_id = anna_with_an_app(now)
    a_sheet(person_id, now=now)
    an_approved_request(person_id, now)
    later = now + WAITED

    cookies = finish(a_flow_with_a_password(person_id, later), later)

    with db.reading() as session:
        me = sessions.find_by_secret(session, cookies.session, now=later)
        assert not totp.is_enrolled(session, person_id=person_id)
        assert recovery_codes.remaining(session, person_id=person_id) == 0
    assert me.person_id == person_id
    assert (me.acr, me.amr) == (acr.MAIL_CODE, (acr.PASSWORD, acr.MAILED_CODE))
    assert IdpEvent.LOST_FACTORS_REMOVED in events_of(person_id)
    subjects = [mail.subject for mail in mailroom.deliver()]
    assert "All your factors were removed" in subjects


@pytest.mark.security("5.5")
@pytest.mark.security("4.7")
def test_the_removal_ends_every_session_and_forgets_every_device(now):
    person_id = anna_with_an_app(now)
    a_device(person_id, now, remember=True)
    with db.transaction() as session:
        elsewhere = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            device_id=None,
            where=Whereabouts(),
            now=now + WAITED,
        )
    an_approved_request(person_id, now)
    later = now + WAITED

    finish(a_flow_with_a_password(person_id, later), later)

    with db.reading() as session:
        assert sessions.find_by_secret(session, elsewhere, now=later) is None
        assert devices.remembered(session, person_id=person_id, now=later) == []


@pytest.mark.security("3.6")
@pytest.mark.parametrize("waited", [timedelta(0), WAITED - timedelta(seconds=1)])
def test_before_the_waiting_time_is_over_nothing_is_removed(now, waited):
    person_id = anna_with_an_app(now)
    an_approved_request(person_id, now)
    later = now + waited

    with pytest.raises(NotReady):
        finish(a_flow_with_a_password(person_id, later), later)

    with db.reading() as session:
        assert totp.is_enrolled(session, person_id=person_id)


@pytest.mark.security("3.6")
def test_without_the_operators_yes_no_waiting_helps(now):
    person_id = anna_with_an_app(now)
    a_request(person_id, now)
    later = now + timedelta(days=13)

    with pytest.raises(NotReady):
        finish(a_flow_with_a_password(person_id, later), later)


@pytest.mark.security("3.6")
def test_without_the_mailbox_an_approved_request_is_worth_nothing(now):
    person_id = anna_with_an_app(now)
    an_approved_request(person_id, now)
    later = now + WAITED

    with pytest.raises(MailboxNotProved):
        finish(a_flow_with_a_password(person_id, later, proved=False), later)


@pytest.mark.security("3.1")
def test_a_fortnight_after_the_waiting_time_the_permission_is_over(now):
    person_id = anna_with_an_app(now)
    an_approved_request(person_id, now)
    later = now + WAITED + timedelta(days=14)

    with pytest.raises(NotReady):
        finish(a_flow_with_a_password(person_id, later), later)
    assert state_of(person_id, later) is State.LAPSED


@pytest.mark.security("15.2")
@pytest.mark.security("3.1")
def test_of_fifty_who_finish_at_once_in_as_many_flows_one_gets_in(identity_app, now):
    person_id = anna_with_an_app(now)
    an_approved_request(person_id, now)
    later = now + WAITED
    flow_ids = [a_flow_with_a_password(person_id, later) for _ in range(50)]

    answers = all_at_once(identity_app, 50, lambda: finish(flow_ids.pop(), later))

    assert sum(isinstance(answer, Cookies) for answer in answers) == 1
    assert sum(isinstance(answer, NotReady | NothingLost) for answer in answers) == 49
    assert events_of(person_id).count(IdpEvent.LOST_FACTORS_REMOVED) == 1


@pytest.mark.security("15.2")
def test_a_stop_and_a_removal_at_once_have_one_winner(identity_app, now):
    person_id = anna_with_an_app(now)
    request_id, _ = a_request(person_id, now)
    with db.transaction() as session:
        token = lost_factors.approve(
            session,
            request_id,
            by="Jan",
            proof="card",
            ready_at=now,
            expires_at=now + timedelta(days=1),
            now=now,
        )
    flow_ids = [a_flow_with_a_password(person_id, now) for _ in range(5)]
    acts = [partial(finish, flow_id, now) for flow_id in flow_ids]
    acts += [partial(service.stop, token or "", browser=a_browser(), now=now)] * 5

    answers = all_at_once(identity_app, 10, lambda: acts.pop()())

    won = [answer for answer in answers if isinstance(answer, Cookies) or answer is True]
    assert len(won) == 1


@pytest.mark.security("3.6")
@pytest.mark.parametrize("waited", [None, timedelta(hours=1), WAITED])
def test_a_sign_in_with_a_real_factor_ends_the_request(now, mailroom, waited):
    person_id = anna_with_an_app(now)
    if waited is None:
        a_request(person_id, now)
    else:
        an_approved_request(person_id, now)
    later = now + (waited or timedelta(0))

    signs_in(person_id, acr.TWO_FACTOR, later)

    assert state_of(person_id, later) is State.FOUND
    assert IdpEvent.LOST_FACTORS_STOPPED in events_of(person_id)
    assert mailroom.to(ANNA).subject == "The request to remove your factors has ended"
    with pytest.raises(NotReady):
        finish(a_flow_with_a_password(person_id, later), later)


@pytest.mark.parametrize("weak", [acr.SINGLE_FACTOR, acr.MAIL_CODE])
def test_a_sign_in_without_a_real_factor_leaves_the_request(now, weak):
    person_id = anna_with_an_app(now)
    a_request(person_id, now)

    signs_in(person_id, weak, now)

    assert state_of(person_id, now) is State.ASKED


def signs_in(person_id, reached, now):
    with db.transaction() as session:
        complete(
            session,
            person_id=person_id,
            recipient=Recipient(ANNA, "en"),
            amr=[acr.PASSWORD],
            acr=reached,
            browser=a_browser(),
            now=now,
        )


@pytest.mark.security("3.2")
@pytest.mark.security("3.6")
def test_the_mailed_link_stops_a_request_once(now):
    person_id = anna_with_an_app(now)
    _, token = a_request(person_id, now)
    assert service.can_stop(token, now=now)
    assert service.can_stop(token, now=now)

    assert service.stop(token, browser=a_browser(id_hash=b"x" * 32), now=now)

    assert not service.stop(token, browser=a_browser(), now=now)
    assert state_of(person_id, now) is State.STOPPED
    assert IdpEvent.LOST_FACTORS_STOPPED in events_of(person_id)


@pytest.mark.security("3.1")
def test_a_link_that_was_made_up_stops_nothing(now):
    person_id = anna_with_an_app(now)
    a_request(person_id, now)

    assert not service.stop(str(uuid4()), browser=a_browser(), now=now)
    assert not service.stop("", browser=a_browser(), now=now)
    assert state_of(person_id, now) is State.ASKED


@pytest.mark.security("4.2")
def test_five_wrong_codes_lead_back_to_the_password(now):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now, proved=False)
    service.send(flow_id, browser=a_browser(), now=now)

    answers = [prove(flow_id, "00000000", now) for _ in range(TRIES_IN_FLOW)]

    assert answers[:-1] == [Wrong()] * (TRIES_IN_FLOW - 1)
    assert isinstance(answers[-1], Exhausted)
    with db.reading() as session:
        again = flows.load(session, answers[-1].flow_id, b"b" * 32, now)
    assert again.first_factor_at is None


@pytest.mark.security("4.2")
@pytest.mark.security("2.1")
def test_wrong_codes_are_counted_over_flows_too(now):
    person_id = anna_with_an_app(now)
    outcome = None
    for _ in range(3):
        flow_id = a_flow_with_a_password(person_id, now, proved=False)
        for _ in range(TRIES_IN_FLOW - 1):
            outcome = prove(flow_id, "00000000", now)

    assert isinstance(outcome, Throttled)


@pytest.mark.security("3.1")
def test_the_mailed_code_counts_in_its_own_flow_and_for_its_own_purpose(now, mailroom):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now, proved=False)
    other_id = a_flow_with_a_password(person_id, now, proved=False)
    service.send(flow_id, browser=a_browser(), now=now)
    code = mailroom.code_to(ANNA)

    assert prove(other_id, code, now) == Wrong()
    assert prove(flow_id, code, now) == Proved(None)
    assert prove(flow_id, code, now) == Wrong()


@pytest.mark.security("3.11")
def test_the_sixth_mail_in_an_hour_is_not_sent_and_the_person_is_told(now, mailroom):
    person_id = anna_with_an_app(now)
    flow_id = a_flow_with_a_password(person_id, now, proved=False)
    answers = [service.send(flow_id, browser=a_browser(), now=now) for _ in range(6)]

    assert answers[:5] == [None] * 5
    assert answers[5] == Throttled(3600, for_good=False)
    assert len(mailroom.deliver()) == 5
    assert service.look(flow_id, browser=a_browser(), now=now).mail_wait == 3600


@pytest.mark.security("2.7")
def test_who_is_on_a_remembered_device_has_proved_the_password_by_their_session(now):
    person_id = anna_with_an_app(now)
    me = somebody_signed_in(person_id, now)
    with db.transaction() as session:
        flow_id = str(flows.start(session, browser_hash=b"b" * 32, now=now).id)

    standing = service.look(flow_id, browser=a_browser(signed_in=me), now=now)

    assert standing.email == ANNA


@pytest.mark.security("2.7")
def test_a_session_whose_password_was_typed_long_ago_does_not_count(now):
    me = somebody_signed_in(anna_with_an_app(now), now)
    later = now + timedelta(minutes=16)
    with db.transaction() as session:
        flow_id = str(flows.start(session, browser_hash=b"b" * 32, now=later).id)

    with pytest.raises(PasswordMissing):
        service.look(flow_id, browser=a_browser(signed_in=me), now=later)


def somebody_signed_in(person_id, now):
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD, acr.REMEMBERED_DEVICE],
            acr=acr.SINGLE_FACTOR,
            device_id=None,
            where=Whereabouts(),
            now=now,
        )
    with db.reading() as session:
        return sessions.find_by_secret(session, secret, now=now)


@pytest.mark.security("4.4")
def test_with_a_password_that_was_set_by_mail_on_the_way_the_mailbox_counts_once(now):
    person_id = anna_with_an_app(now)
    an_approved_request(person_id, now)
    later = now + WAITED
    flow_id = a_flow_with_a_password(person_id, later)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="x", now=later + timedelta(seconds=1))
        flow = flows.lock(session, flow_id, b"b" * 32, later)
        flow.first_factor_at = later + timedelta(seconds=2)

    cookies = finish(flow_id, later + timedelta(seconds=3))

    with db.reading() as session:
        me = sessions.find_by_secret(session, cookies.session, now=later + timedelta(seconds=3))
    assert (me.acr, me.amr) == (acr.SINGLE_FACTOR, (acr.PASSWORD,))
