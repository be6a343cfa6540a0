"""What an invitation is good for, and that only an open one changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.errors import NotFound
from tenants.database import db
from tenants.invitations import rows
from tenants.invitations.models import Invitation
from tenants.invitations.rows import NotOpen, State
from tenants.members.service import Wanted
from tests.tenants import making
from tests.tenants.invitations.inviting import accept, invited, link

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]
SECOND = timedelta(seconds=1)


def test_an_answer_counts_for_more_than_the_time_that_has_passed(office, admin, now):
    one = invited(office, admin, now)
    end = one.expires_at

    assert (one.state(end - SECOND), one.state(end)) == (State.OPEN, State.EXPIRED)
    assert replace(one, accepted_at=now).state(end) is State.ACCEPTED
    assert replace(one, revoked_at=now).state(end) is State.REVOKED
    assert replace(one, revoked_at=now, declined_at=now).state(end) is State.DECLINED


def test_an_invitation_is_read_with_the_roles_that_it_promises(office, admin, now):
    promised = (Wanted(office.watching), Wanted(office.editing, office.second, now + SECOND))
    one = invited(office, admin, now, assignments=promised)
    other = invited(office, admin, now, email="b@example.com", assignments=[])

    with db.reading(tenant=office.id) as session:
        assert rows.sure(session, office.id, one.id).assignments == promised
        assert rows.sure(session, office.id, other.id).assignments == ()


@pytest.mark.security("13.6")
def test_an_invitation_of_another_account_is_not_there(office, admin, now):
    one = invited(office, admin, now)
    other = making.an_account("Biuro Lis").id

    with db.transaction(tenant=other) as session:
        with pytest.raises(NotFound):
            rows.sure(session, other, one.id)
        with pytest.raises(NotOpen):
            rows.change_open(session, other, one.id, now=now, locale="en")


def test_only_an_open_one_changes_and_has_a_new_version_then(office, admin, anna, now):
    one = invited(office, admin, now)
    with db.transaction(tenant=office.id) as session:
        rows.change_open(session, office.id, one.id, now=now + SECOND, locale="en")
        changed = rows.sure(session, office.id, one.id)
        with pytest.raises(NotOpen):
            rows.change_open(
                session, office.id, one.id, Invitation.version == 1, now=now, locale="pl"
            )
    accept(office, link(office, one, now), anna, now)

    assert (changed.locale, changed.version) == ("en", 2)
    with pytest.raises(NotOpen), db.transaction(tenant=office.id) as session:
        rows.change_open(session, office.id, one.id, now=now, locale="pl")
