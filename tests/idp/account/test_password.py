import pytest

from idp.account import password as password_change
from idp.account.password import WrongProof
from idp.credentials.email_code import Purpose
from idp.credentials.password import Problem
from idp.mailbox import service as mailbox
from idp.sign_in.outcomes import Throttled
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, an_authenticator


def change(me, now, current=PASSWORD, new=NEW_PASSWORD, code=""):
    return password_change.change(
        me, current=current, new=new, code=code, browser=a_browser(), now=now
    )


@pytest.mark.product("ID-8")
@pytest.mark.security("1.7")
def test_each_proof_has_its_own_answer(me, now):
    app = an_authenticator(me.person_id, now=now)

    assert change(me, now, current="wrong") is WrongProof.PASSWORD
    assert change(me, now, current="x" * 9_999) is WrongProof.PASSWORD
    assert change(me, now, new="short") is Problem.TOO_SHORT
    assert change(me, now, code="000000") is WrongProof.CODE
    assert change(me, now, code=app.at(now)) is None


@pytest.mark.security("15.2")
def test_of_many_changes_at_once_one_goes_through(identity_app, me, now):
    answers = all_at_once(identity_app, 8, lambda: change(me, now))

    assert answers.count(None) == 1
    assert answers.count(WrongProof.PASSWORD) == 7


def test_guessing_is_counted_before_it_is_checked(me, now):
    answers = [change(me, now, current="wrong") for _ in range(11)]

    assert isinstance(answers[-1], Throttled)


@pytest.mark.security("3.1")
def test_links_that_were_mailed_before_count_no_more(me, now, mailroom):
    mailbox.ask(
        None,
        purpose=Purpose.RESET,
        email=me.email,
        browser=a_browser(),
        return_to="/",
        now=now,
    )
    token = mailroom.link_to(me.email).partition("token=")[2]

    assert change(me, now) is None

    assert not mailbox.is_link_open(token, purpose=Purpose.RESET, now=now)
