"""The last admin who can act stays, whatever way they would go."""

from datetime import timedelta

import pytest

from kernel.errors import NotFound
from tenants.accounts import service as accounts
from tenants.database import db
from tenants.members import giving
from tenants.members import service as members
from tenants.members.admins import acts_as_admin, has_admin
from tenants.members.assignments import Place
from tenants.members.service import LastAdmin, Wanted
from tenants.people import service as people
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office
from tests.tenants.members.doing import do

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]


def ask(office, *, besides=None):
    with db.reading(tenant=office.id) as session:
        return has_admin(session, office.id, besides=besides)


def test_an_admin_who_can_act_counts(office):
    admin = office.admin()

    with db.reading(tenant=office.id) as session:
        assert acts_as_admin(session, office.id, admin.membership)
    assert ask(office)
    assert not ask(office, besides=admin.membership)


@pytest.mark.security("12.5")
@pytest.mark.parametrize(
    "changes", [{"state": "blocked"}, {"state": "pending"}, {"accepted_at": None}]
)
def test_who_is_blocked_or_has_not_come_does_not_count(office, changes):
    office.someone(office.account.admin_role, **changes)

    assert not ask(office)


@pytest.mark.security("12.5")
def test_a_role_with_an_end_on_a_company_or_that_is_no_admins_does_not_count(office, now):
    role = office.account.admin_role
    office.someone((role, office.main), office.selling)
    making.assign(office.id, office.someone().membership, role, expires_at=now + timedelta(days=9))

    assert not ask(office)


@pytest.mark.security("12.5")
def test_a_person_who_is_blocked_everywhere_does_not_count(office, now):
    admin = office.admin()
    with db.transaction() as session:
        people.block(session, admin.person, now=now)

    assert not ask(office)


@pytest.mark.security("12.5")
def test_admins_of_others_do_not_count(office):
    other = an_office("Inny").admin()

    with db.reading(tenant=office.id) as session:
        assert not acts_as_admin(session, office.id, other.membership)
    assert not ask(office)


LAST = {
    "remove": lambda office, admin, now: do(
        office, members.remove, admin.membership, actor=admin.actor, now=now
    ),
    "block": lambda office, admin, now: do(
        office, members.block, admin.membership, actor=admin.actor, now=now
    ),
    "take the role": lambda office, admin, now: do(
        office,
        giving.take,
        admin.membership,
        Place(office.account.admin_role, None),
        actor=admin.actor,
        now=now,
    ),
    "set other roles": lambda office, admin, now: do(
        office,
        giving.set_assignments,
        admin.membership,
        [Wanted(office.account.admin_role, office.main)],
        actor=admin.actor,
        now=now,
    ),
    "give it an end": lambda office, admin, now: do(
        office,
        giving.give,
        admin.membership,
        Wanted(office.account.admin_role, None, now + timedelta(days=9)),
        actor=admin.actor,
        now=now,
    ),
    "leave": lambda office, admin, now: do(office, members.leave, person_id=admin.person, now=now),
}


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.5")
@pytest.mark.parametrize("how", LAST)
def test_the_last_admin_stays(office, now, how):
    admin = office.admin()

    with pytest.raises(LastAdmin):
        LAST[how](office, admin, now)

    assert office.acting(admin.person).power.is_admin


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.5")
@pytest.mark.parametrize("how", LAST)
def test_an_admin_goes_where_another_one_stays(office, now, how):
    admin, other = office.admin(), office.admin()

    LAST[how](office, admin, now)

    assert office.acting(other.person).power.is_admin


@pytest.mark.security("12.5")
@pytest.mark.parametrize("how", LAST)
def test_whoever_cannot_act_as_admin_does_not_count_as_the_other_one(office, now, how):
    admin, role = office.admin(), office.account.admin_role
    office.someone(role, state="blocked")
    office.someone(role, state="pending", accepted_at=None)
    office.someone(role, accepted_at=None)
    office.someone((role, office.main))
    ending = office.someone()
    making.assign(office.id, ending.membership, role, expires_at=now + timedelta(days=1))
    gone = office.someone(role)
    with db.transaction() as session:
        people.block(session, gone.person, now=now)

    with pytest.raises(LastAdmin):
        LAST[how](office, admin, now)


@pytest.mark.security("12.5")
def test_another_accounts_admin_does_not_count(office, now):
    an_office("Inny").admin()

    with pytest.raises(LastAdmin):
        LAST["leave"](office, office.admin(), now)


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.5", "15.2")
@pytest.mark.parametrize("how", LAST)
def test_of_fifty_admins_who_go_at_once_one_stays(identity_app, office, now, how):
    bosses = [office.admin() for _ in range(50)]
    going = iter(bosses)

    answers = all_at_once(identity_app, 50, lambda: LAST[how](office, next(going), now))

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(answer) for answer in refused] == [LastAdmin]
    with db.reading(tenant=office.id) as session:
        left = [acts_as_admin(session, office.id, admin.membership) for admin in bosses]
    assert sum(left) == 1


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.5", "15.2")
@pytest.mark.parametrize("use", ["remove", "block"])
def test_of_two_admins_who_end_each_other_one_stays(identity_app, office, now, use):
    one, other = office.admin(), office.admin()
    pairs = iter([(one, other), (other, one)] * 25)

    def act():
        actor, target = next(pairs)
        return do(office, getattr(members, use), target.membership, actor=actor.actor, now=now)

    answers = all_at_once(identity_app, 50, act)

    left = [office.acting(admin.person).power.is_admin for admin in (one, other)]
    assert sorted(left) == [False, True]
    assert {type(a) for a in answers if isinstance(a, Exception)} <= {LastAdmin, NotFound}


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.5")
def test_the_operators_block_of_a_last_admin_goes_through_and_the_account_is_flagged(office, now):
    admin = office.admin()

    do(office, members.block, admin.membership, actor=BOSS, now=now)
    flagged = flagged_at(office)
    do(office, members.unblock, admin.membership, actor=BOSS, now=now)

    assert (flagged, flagged_at(office)) == (now, None)
    with pytest.raises(LastAdmin):
        do(office, members.remove, admin.membership, actor=BOSS, now=now)


def flagged_at(office):
    with db.reading(tenant=office.id) as session:
        return accounts.find(session, office.id).flagged_at


@pytest.mark.product("TEN-6")
def test_an_account_that_waits_for_an_admin_has_one_as_soon_as_somebody_can_act(office, now):
    making.change_account(office.id, flagged_at=now)
    member = office.someone()

    wanted = Wanted(office.account.admin_role)
    do(office, giving.give, member.membership, wanted, actor=BOSS, now=now)

    assert flagged_at(office) is None
