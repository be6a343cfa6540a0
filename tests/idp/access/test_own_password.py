from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.access import own_password
from idp.access.own_password import NothingToSet, Over
from idp.access.service import MAILS_TO_PERSON, How
from idp.credentials import password, temporary_password
from idp.credentials.hashing import Verdict
from idp.credentials.password import Problem
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.not_me import locks
from idp.not_me.locks import Locked, Reason
from idp.sign_in import code
from idp.sign_in.completion import Cookies
from idp.sign_in.outcomes import Proved, Wrong
from idp.sign_in.prover import NothingToProve
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.limits import limits
from tenants.people.models import Person
from tests.idp.access.test_service import give, is_temporary
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser, a_flow, prove
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, a_person

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"
LIFE = timedelta(hours=72)


@pytest.fixture
def person_id():
    return a_person(password_=None)


@pytest.fixture
def temporary(person_id, now):
    secret, _ = give(person_id, How.TEMPORARY_PASSWORD, now)
    return secret


def typed(secret, at):
    """A flow in which this was typed."""
    flow_id = a_flow(at)
    assert prove(flow_id, secret, at) == Proved(None)
    return flow_id


def choose(flow_id, at, chosen=PASSWORD):
    return own_password.choose(flow_id, chosen, browser=a_browser(), now=at)


def ask(flow_id, at, **browser):
    return own_password.ask(flow_id, browser=a_browser(**browser), now=at)


def own_hash(person_id):
    with db.reading() as session:
        return password.stored_hash(session, person_id=person_id)


@pytest.mark.product("ID-9")
@pytest.mark.security("4.5")
def test_a_temporary_password_is_good_only_for_setting_an_own_one(temporary, person_id, now):
    flow_id = typed(temporary, now)

    with db.reading() as session:
        flow = flows.load(session, flow_id, b"b" * 32, now)
    assert (flow.new_password_of, flow.person_id, flow.first_factor_at) == (person_id, None, None)
    for step in (code.ask, code.send):
        with pytest.raises(NothingToProve):
            step(flow_id, browser=a_browser(), now=now)
    assert ask(flow_id, now) == own_password.Question(ANNA, is_over=False)


@pytest.mark.product("ID-9")
def test_the_own_password_is_set_and_signs_in(temporary, person_id, now):
    flow_id = typed(temporary, now)

    assert isinstance(choose(flow_id, now), Cookies)

    assert own_hash(person_id) is not None
    assert prove(a_flow(now), temporary, now) == Wrong()
    assert isinstance(prove(a_flow(now), PASSWORD, now), Proved)


@pytest.mark.product("ID-9")
@pytest.mark.security("1.1")
def test_the_temporary_password_itself_can_not_be_chosen(temporary, now):
    assert choose(typed(temporary, now), now, temporary) is Problem.TEMPORARY


@pytest.mark.security("1.4")
@pytest.mark.parametrize(
    ("chosen", "problem"),
    [("short", Problem.TOO_SHORT), ("annaannaanna", Problem.PERSONAL)],
)
def test_the_own_password_must_be_as_good_as_any(temporary, person_id, now, chosen, problem):
    flow_id = typed(temporary, now)

    assert choose(flow_id, now, chosen) is problem
    assert own_hash(person_id) is None
    assert isinstance(choose(flow_id, now), Cookies)


@pytest.mark.product("ID-9")
@pytest.mark.security("3.1")
def test_a_temporary_password_that_was_typed_too_late_sets_nothing(temporary, person_id, now):
    flow_id = typed(temporary, now + LIFE)

    assert ask(flow_id, now + LIFE).is_over
    with pytest.raises(Over):
        choose(flow_id, now + LIFE)
    assert own_hash(person_id) is None


@pytest.mark.security("3.1")
def test_the_end_counts_where_the_own_password_is_set(temporary, person_id, now):
    flow_id = typed(temporary, now + LIFE - timedelta(minutes=1))

    with pytest.raises(Over):
        choose(flow_id, now + LIFE)
    assert own_hash(person_id) is None


@pytest.mark.product("ID-9")
def test_a_wrong_password_hears_nothing_of_a_temporary_one(temporary, now):
    for moment in (now, now + LIFE):
        flow_id = a_flow(moment)
        assert prove(flow_id, "not the right one", moment) == Wrong()
        with pytest.raises(NothingToSet):
            ask(flow_id, moment)


@pytest.mark.security("2.7")
@pytest.mark.security("6.11")
def test_the_page_is_for_the_browser_in_which_it_was_typed(temporary, now):
    flow_id = typed(temporary, now)

    with pytest.raises(flows.FlowExpired):
        ask(flow_id, now, id_hash=b"x" * 32)


@pytest.mark.security("2.7")
def test_who_names_another_address_afterwards_has_proved_nothing(temporary, now):
    flow_id = typed(temporary, now)

    prove(flow_id, "a guess", now, email="bob@example.com")

    with pytest.raises(NothingToSet):
        choose(flow_id, now)


@pytest.mark.security("3.1")
def test_a_newer_temporary_password_closes_the_page_that_the_former_opened(
    temporary, person_id, now
):
    flow_id = typed(temporary, now)
    later = now + timedelta(minutes=1)
    give(person_id, How.TEMPORARY_PASSWORD, later)

    with pytest.raises(NothingToSet):
        choose(flow_id, later)
    assert own_hash(person_id) is None


@pytest.mark.product("ID-9")
@pytest.mark.security("15.2")
def test_of_many_who_set_an_own_password_at_once_one_does(
    identity_app, temporary, person_id, now, monkeypatch
):
    flow_ids = iter([typed(temporary, now) for _ in range(50)])
    # What is tried out is the database and not how long fifty hashes wait for their turn.
    monkeypatch.setattr(own_password, "hashing", lambda: QuickHashing())

    answers = all_at_once(identity_app, 50, lambda: choose(next(flow_ids), now))

    assert sum(isinstance(answer, Cookies) for answer in answers) == 1
    assert sum(isinstance(answer, NothingToSet) for answer in answers) == 49
    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person_id))
    assert [row.event for row in rows].count(IdpEvent.ACCESS_USED) == 1


@pytest.mark.security("15.2")
def test_of_many_posts_of_one_page_one_sets_the_password(identity_app, temporary, now, monkeypatch):
    flow_id = typed(temporary, now)
    monkeypatch.setattr(own_password, "hashing", lambda: QuickHashing())

    answers = all_at_once(identity_app, 50, lambda: choose(flow_id, now))

    assert sum(isinstance(answer, Cookies) for answer in answers) == 1
    assert sum(isinstance(answer, NothingToSet) for answer in answers) == 49


class QuickHashing:
    """Hashes that take no time."""

    def hash(self, text):
        return f"hash of {text}"

    def verify(self, _stored, _text):
        return Verdict(matches=False)


@pytest.mark.product("ID-9")
def test_who_came_too_late_has_access_sent_again(temporary, person_id, now, mailroom):
    mailroom.deliver()
    late = now + LIFE
    flow_id = typed(temporary, late)

    own_password.send_again(flow_id, browser=a_browser(), now=late)

    (mail,) = mailroom.deliver()
    (fresh,) = (line.strip() for line in mail.text.splitlines() if line.count("-") == 4)
    assert is_temporary(fresh, person_id, late)
    assert isinstance(choose(typed(fresh, late), late), Cookies)


@pytest.mark.security("3.11")
def test_access_is_sent_again_so_often_and_no_more(temporary, person_id, now, mailroom):
    late = now + LIFE
    for _ in range(MAILS_TO_PERSON.limit):
        with db.transaction() as session:
            limits.take_in(session, key=ANNA, policy=MAILS_TO_PERSON, now=late)
    mailroom.deliver()

    own_password.send_again(typed(temporary, late), browser=a_browser(), now=late)

    assert mailroom.deliver() == []
    assert is_temporary(temporary, person_id, late)


def test_nothing_is_sent_to_who_typed_no_temporary_password(now, person_id, mailroom):
    with pytest.raises(NothingToSet):
        own_password.send_again(a_flow(now), browser=a_browser(), now=now)
    assert mailroom.deliver() == []


@pytest.mark.product("ID-9")
def test_a_reset_by_mail_takes_the_temporary_password_away(temporary, person_id, now):
    flow_id = typed(temporary, now)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="own", now=now)

    with pytest.raises(NothingToSet):
        choose(flow_id, now, NEW_PASSWORD)
    assert own_hash(person_id) == "own"
    with db.reading() as session:
        assert temporary_password.until(session, person_id=person_id) is None


@pytest.mark.security("2.5")
def test_who_is_blocked_meanwhile_sets_nothing(temporary, person_id, now):
    flow_id = typed(temporary, now)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    with pytest.raises(NothingToSet):
        choose(flow_id, now)
    assert own_hash(person_id) is None


def test_who_is_locked_meanwhile_sets_nothing(temporary, person_id, now):
    flow_id = typed(temporary, now)
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=Reason.OPERATOR, now=now)

    with pytest.raises(Locked):
        choose(flow_id, now)
    assert own_hash(person_id) is None
