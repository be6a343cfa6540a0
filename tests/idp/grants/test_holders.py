"""Which applications hold something of a person, or work in an account."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.grants import holders
from idp.grants.models import Grant
from tenants.database import db
from tests.idp.provider import a_code, a_person, an_app

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("OP-5")]

ACCOUNT, OTHER = "0123456789ab", "ba9876543210"


def change_grants(**values):
    with db.transaction() as session:
        session.execute(update(Grant).values(**values))


def of_people(people, apps, now):
    with db.reading() as session:
        return holders.of_people(session, people, [app.id for app in apps], now=now)


def in_accounts(accounts, apps, now):
    with db.reading() as session:
        return holders.in_accounts(session, accounts, [app.id for app in apps], now=now)


def test_people_belong_to_the_applications_that_they_went_to(now):
    first, second, third = an_app(), an_app(), an_app()
    anna, jan = a_person(), a_person()
    a_code(first, now=now, person_id=anna)
    a_code(second, now=now, person_id=jan)
    a_code(third, now=now, person_id=anna)

    assert of_people({anna}, [first, second], now) == {(anna, first.id, None)}


def test_what_ended_a_while_ago_counts_no_more(now):
    app, anna = an_app(), a_person()
    a_code(app, now=now, person_id=anna)
    change_grants(revoked_at=now)

    assert of_people({anna}, [app], now + timedelta(minutes=14)) == {(anna, app.id, None)}
    assert of_people({anna}, [app], now + timedelta(minutes=15)) == set()


def test_what_can_not_be_alive_any_more_does_not_count(now):
    app, anna = an_app(), a_person()
    a_code(app, now=now, person_id=anna)
    change_grants(kept_until=now)

    assert of_people({anna}, [app], now) == set()


def test_an_account_belongs_to_the_applications_in_which_somebody_works_for_it(now):
    app, other = an_app(), an_app()
    a_code(app, now=now)
    change_grants(account=ACCOUNT)
    a_code(other, now=now)

    assert in_accounts({ACCOUNT, OTHER}, [app, other], now) == {(ACCOUNT, app.id)}
