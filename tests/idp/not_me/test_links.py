from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.not_me import links
from idp.not_me.links import Added, Factor, Link
from idp.not_me.models import NotMeLink
from kernel.crypto import hash_token
from kernel.ids import new_id
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def a_link(now, *, added=None):
    person_id = a_person()
    with db.transaction() as session:
        token = links.issue(session, person_id=person_id, notice="new_device", added=added, now=now)
    return person_id, token


def redeem(token, now):
    with db.transaction() as session:
        return links.redeem(session, token=token, now=now)


@pytest.mark.security("3.1")
def test_a_link_is_long_stored_hashed_and_bound_to_its_person_and_notice(now):
    added = Added(Factor.PASSKEY, new_id())

    person_id, token = a_link(now, added=added)

    assert len(token) >= 43
    with db.reading() as session:
        row = session.scalars(select(NotMeLink)).one()
        assert row.token_hash == hash_token(token)
        assert links.find(session, token=token, now=now) == Link(
            person_id, "new_device", added, now
        )


@pytest.mark.security("3.1")
def test_a_link_counts_once(now):
    _, token = a_link(now)

    assert redeem(token, now) is not None
    assert redeem(token, now) is None
    with db.reading() as session:
        assert links.find(session, token=token, now=now) is None


@pytest.mark.security("3.1")
@pytest.mark.parametrize(("days", "counts"), [(6, True), (7, False), (8, False)])
def test_a_link_counts_for_seven_days(now, days, counts):
    _, token = a_link(now)

    assert (redeem(token, now + timedelta(days=days)) is not None) is counts


@pytest.mark.security("3.2")
def test_looking_spends_nothing(now):
    _, token = a_link(now)

    with db.reading() as session:
        for _ in range(3):
            assert links.find(session, token=token, now=now) is not None

    assert redeem(token, now) is not None


@pytest.mark.security("15.2")
def test_of_fifty_who_use_one_link_at_once_one_gets_it(identity_app, now):
    _, token = a_link(now)

    answers = all_at_once(identity_app, 50, lambda: redeem(token, now))

    assert sum(isinstance(answer, Link) for answer in answers) == 1
    assert answers.count(None) == 49
