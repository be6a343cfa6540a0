from datetime import timedelta

import pyotp
import pytest

from idp.account import authenticator
from idp.account.authenticator import Added
from idp.credentials.hashing import Hashing
from idp.credentials.models import RecoveryCode
from idp.sign_in.outcomes import Throttled
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")


def confirm(me, text, now):
    return authenticator.confirm(me, text, browser=a_browser(signed_in=me), now=now)


def test_the_key_stays_the_same_until_it_is_confirmed(me, now):
    assert authenticator.begin(me, now=now) == authenticator.begin(me, now=now)


@pytest.mark.security("15.2")
def test_of_many_who_confirm_at_once_one_gets_the_sheet(identity_app, me, now):
    code = pyotp.TOTP(authenticator.begin(me, now=now).secret).at(now)

    answers = all_at_once(identity_app, 4, lambda: confirm(me, code, now))

    assert sum(isinstance(answer, Added) for answer in answers) == 1
    assert answers.count(None) == 3


def test_guessing_the_first_code_has_an_end(me, now):
    authenticator.begin(me, now=now)

    answers = [confirm(me, "000000", now) for _ in range(11)]

    assert isinstance(answers[-1], Throttled)


def test_removing_what_is_not_there_changes_nothing(me, now, mailroom):
    authenticator.remove(me, browser=a_browser(), now=now)

    assert mailroom.deliver() == []


def test_without_an_app_there_is_no_sheet(me, now):
    assert authenticator.new_sheet(me, browser=a_browser(), now=now) is None


@pytest.mark.security("4.3")
@pytest.mark.security("15.2")
def test_of_sheets_that_are_made_at_once_one_stays_whole(identity_app, me, now):
    an_authenticator(me.person_id, now=now)

    sheets = all_at_once(
        identity_app, 4, lambda: authenticator.new_sheet(me, browser=a_browser(), now=now)
    )

    assert all(isinstance(sheet, tuple) for sheet in sheets)
    with db.reading() as session:
        rows = session.query(RecoveryCode).all()
    assert (len(rows), len({row.salt for row in rows})) == (10, 1)


@pytest.mark.security("4.6")
def test_a_key_that_was_shown_before_the_person_signed_in_is_not_shown_again(me, now):
    shown = authenticator.begin(me, now=now - timedelta(seconds=1)).secret

    assert authenticator.begin(me, now=now).secret != shown


@pytest.mark.security("1.6")
def test_a_wrong_first_code_costs_no_hash(me, now, monkeypatch):
    authenticator.begin(me, now=now)
    monkeypatch.setattr(Hashing, "derive", lambda *_: pytest.fail("hashed"))

    assert confirm(me, "000000", now) is None
