from datetime import timedelta

import pytest

from idp.access import welcome
from idp.access.service import How
from idp.access.welcome import LINKS_FROM_PLACE, Entered, LinkSpent
from idp.clients import service as clients
from idp.credentials import mailed_link, password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import Verdict
from idp.credentials.password import Problem
from idp.events import IdpEvent
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.address import canonical_email
from tests.idp.access.test_service import give
from tests.idp.provider import an_app
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import PASSWORD, a_person

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"
LIFE = timedelta(hours=72)


@pytest.fixture
def person_id():
    return a_person(password_=None)


@pytest.fixture
def token(person_id, now, mailroom):
    give(person_id, How.WELCOME_LINK, now)
    return token_to(mailroom)


def token_to(mailroom):
    return mailroom.link_to(ANNA).partition("token=")[2]


def choose(token, at, chosen=PASSWORD):
    return welcome.choose(token, chosen, browser=a_browser(), now=at)


def own_hash(person_id):
    with db.reading() as session:
        return password.stored_hash(session, person_id=person_id)


@pytest.mark.product("ID-10")
def test_with_the_link_one_sets_a_password_and_is_signed_in(token, person_id, now):
    entered = choose(token, now)

    assert isinstance(entered, Entered)
    assert entered.return_to == "http://localhost:9001/login"
    assert own_hash(person_id) is not None


@pytest.mark.security("3.2")
def test_looking_spends_nothing(token, now):
    assert [welcome.ask(token, now=now) for _ in range(3)] == [ANNA] * 3
    assert isinstance(choose(token, now), Entered)


@pytest.mark.security("3.1")
def test_the_link_works_once(token, now):
    choose(token, now)

    with pytest.raises(LinkSpent):
        welcome.ask(token, now=now)
    with pytest.raises(LinkSpent):
        choose(token, now, "another good password")


@pytest.mark.product("ID-10")
@pytest.mark.security("3.1")
def test_the_link_ends_at_the_second(token, person_id, now):
    with pytest.raises(LinkSpent):
        choose(token, now + LIFE)
    assert own_hash(person_id) is None
    assert isinstance(choose(token, now + LIFE - timedelta(seconds=1)), Entered)


@pytest.mark.security("3.1")
def test_a_newer_link_supersedes_the_former(token, person_id, now, mailroom):
    give(person_id, How.WELCOME_LINK, now)

    with pytest.raises(LinkSpent):
        choose(token, now)
    assert isinstance(choose(token_to(mailroom), now), Entered)


@pytest.mark.security("3.1")
@pytest.mark.security("6.5")
@pytest.mark.parametrize("purpose", [Purpose.RESET, Purpose.REGISTRATION])
def test_a_link_of_another_kind_is_no_welcome(person_id, now, purpose):
    with db.transaction() as session:
        address = canonical_email(ANNA)
        other = mailed_link.issue(session, address=address, purpose=purpose, flow_id=None, now=now)

    with pytest.raises(LinkSpent):
        choose(other, now)
    assert own_hash(person_id) is None


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_what_is_no_link_opens_nothing(now, token):
    with pytest.raises(LinkSpent):
        welcome.ask(token, now=now)


@pytest.mark.security("1.4")
def test_a_password_that_is_refused_leaves_the_link_good(token, now):
    assert choose(token, now, "short") is Problem.TOO_SHORT
    assert choose(token, now, "annaannaanna") is Problem.PERSONAL
    assert isinstance(choose(token, now), Entered)


@pytest.mark.security("1.9")
def test_a_password_that_was_set_meanwhile_is_not_touched(token, person_id, now):
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="own", now=now)

    with pytest.raises(LinkSpent):
        choose(token, now)
    assert own_hash(person_id) == "own"


def test_where_the_application_is_gone_one_stays_here(person_id, now, mailroom):
    app = an_app(redirect_uris=("https://crm.example/callback",))
    give(person_id, How.WELCOME_LINK, now, return_to="https://crm.example/panel")
    with db.transaction() as session:
        clients.disable(session, app.id, now=now)

    entered = choose(token_to(mailroom), now)

    assert isinstance(entered, Entered)
    assert entered.return_to is None


@pytest.mark.product("ID-10")
@pytest.mark.security("15.2")
def test_of_many_who_use_one_link_at_once_one_sets_the_password(
    identity_app, token, person_id, now, monkeypatch
):
    monkeypatch.setattr(welcome, "hashing", lambda: QuickHashing())

    answers = all_at_once(identity_app, 50, lambda: choose(token, now))

    assert sum(isinstance(answer, Entered) for answer in answers) == 1
    assert sum(isinstance(answer, LinkSpent) for answer in answers) == 49
    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person_id))
    assert [row.event for row in rows].count(IdpEvent.ACCESS_USED) == 1


class QuickHashing:
    """Hashes that take no time: it is the database that is tried out."""

    def hash(self, text):
        return f"hash of {text}"

    def verify(self, _stored, _text):
        return Verdict(matches=False)


@pytest.mark.product("ID-10")
def test_who_comes_too_late_has_a_new_link_sent(token, now, mailroom):
    late = now + LIFE + timedelta(days=30)

    welcome.send_again(token, browser=a_browser(), now=late)

    assert isinstance(choose(token_to(mailroom), late), Entered)


@pytest.mark.security("2.4")
@pytest.mark.security("1.9")
def test_nothing_is_sent_to_who_has_a_password_and_the_answer_is_the_same(token, now, mailroom):
    choose(token, now)
    mailroom.deliver()

    for each in (token, "nonsense"):
        welcome.send_again(each, browser=a_browser(), now=now)

    assert mailroom.deliver() == []


@pytest.mark.security("3.11")
def test_one_place_has_so_many_links_sent_and_no_more(token, now, mailroom):
    mailroom.deliver()
    for _ in range(LINKS_FROM_PLACE.limit):
        welcome.send_again("nonsense", browser=a_browser(), now=now)

    welcome.send_again(token, browser=a_browser(), now=now)

    assert mailroom.deliver() == []
