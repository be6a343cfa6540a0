"""Nobody gives or takes what is not theirs, and power over a company ends where the company does."""

from collections.abc import Callable
from functools import partial

import pytest

from kernel.errors import NotFound
from tenants.applications.rights import Right
from tenants.members import giving
from tenants.members import service as members
from tenants.members.authority import BeyondReach
from tenants.members.service import AlreadyMember, MemberKind, Wanted
from tenants.roles.power import NOTHING, Actor, MayNotGrant, NotPermitted
from tests.tenants import making
from tests.tenants.acting import BOSS, CLIENTS, ROLES, SEE, USERS, an_office, holdings, membership
from tests.tenants.members.doing import EMAIL, add, do, person_of

pytestmark = pytest.mark.usefixtures("identity_app")

CLIENT = MemberKind.CLIENT


@pytest.mark.security("12.4")
def test_nobody_gives_a_role_with_more_than_they_hold(office, now):
    seller, member = office.seller(), office.someone()

    given = do(
        office,
        giving.give,
        member.membership,
        Wanted(office.watching),
        actor=seller.actor,
        now=now,
    )
    for role in (office.editing, office.account.admin_role):
        with pytest.raises(MayNotGrant):
            do(office, giving.give, member.membership, Wanted(role), actor=seller.actor, now=now)
        with pytest.raises(MayNotGrant):
            add(office, seller.actor, now, assignments=[Wanted(role)])
        with pytest.raises(MayNotGrant):
            do(office, giving.give, seller.membership, Wanted(role), actor=seller.actor, now=now)

    assert given
    assert person_of(EMAIL) is None


@pytest.mark.security("12.4")
def test_what_stays_need_not_be_ones_own_to_give(office, now):
    seller, editor = office.seller(), office.someone(office.editing)
    wanted = [Wanted(office.editing), Wanted(office.watching)]

    do(office, giving.set_assignments, editor.membership, wanted, actor=seller.actor, now=now)
    with pytest.raises(MayNotGrant):
        do(
            office,
            giving.set_assignments,
            editor.membership,
            [Wanted(office.watching)],
            actor=seller.actor,
            now=now,
        )

    assert len(holdings(office.id, editor.membership)) == 2


@pytest.mark.security("12.4")
@pytest.mark.parametrize("use", ["block", "unblock", "remove", "end_sessions"])
def test_nobody_ends_whoever_holds_more_than_they_do(office, now, use):
    office.admin()
    seller = office.seller()
    stronger = [office.admin(), office.someone(office.editing)]
    weaker = office.someone(office.watching)

    for member in stronger:
        with pytest.raises(MayNotGrant):
            do(office, getattr(members, use), member.membership, actor=seller.actor, now=now)
    do(office, getattr(members, use), weaker.membership, actor=seller.actor, now=now)


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.2")
def test_power_over_a_company_is_power_over_what_is_held_there(office, now):
    seller = office.seller(office.main)
    both = office.someone((office.watching, office.main), (office.editing, office.second))

    do(office, giving.set_assignments, both.membership, [], actor=seller.actor, now=now)
    left = holdings(office.id, both.membership)

    assert left == {(office.editing, office.second, None)}
    with pytest.raises(NotFound):
        do(office, giving.set_assignments, both.membership, [], actor=seller.actor, now=now)


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.2", "12.4")
@pytest.mark.parametrize("company", [None, "second"])
def test_power_over_a_company_gives_nothing_elsewhere(office, now, company):
    company = office.second if company else None
    boss = office.admin_of(office.main)
    member = office.someone((office.watching, office.main))

    with pytest.raises(BeyondReach):
        do(
            office,
            giving.give,
            member.membership,
            Wanted(office.watching, company),
            actor=boss.actor,
            now=now,
        )
    with pytest.raises(BeyondReach):
        add(office, boss.actor, now, assignments=[Wanted(office.watching, company)])


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.2")
def test_users_are_managed_only_where_that_is_ones_right(office, now):
    """The right to see contacts reaches further than the right to manage users."""
    actor = office.someone((office.selling, office.main), (office.watching, office.second)).actor
    member = office.someone((office.watching, office.main))

    wanted = Wanted(office.watching, office.second)
    with pytest.raises(BeyondReach):
        do(office, giving.give, member.membership, wanted, actor=actor, now=now)


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.2")
@pytest.mark.parametrize("use", ["block", "unblock", "remove", "end_sessions", "change"])
def test_a_membership_that_reaches_further_is_not_a_companys_to_end(office, now, use):
    boss = office.admin_of(office.main)
    within = office.someone((office.editing, office.main))
    further = [
        office.someone((office.watching, office.main), (office.watching, office.second)),
        office.someone((office.watching, office.main), office.watching),
    ]
    values = ({"given_name": "Jan"},) if use == "change" else ()

    do(office, getattr(members, use), within.membership, *values, actor=boss.actor, now=now)
    for member in further:
        with pytest.raises(BeyondReach):
            do(office, getattr(members, use), member.membership, *values, actor=boss.actor, now=now)


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.2", "13.6")
@pytest.mark.parametrize("use", ["block", "unblock", "remove", "end_sessions", "change"])
def test_who_holds_nothing_on_a_company_is_out_of_its_sight(office, now, use):
    boss = office.admin_of(office.main)
    ended = office.someone()
    making.assign(office.id, ended.membership, office.watching, office.main, expires_at=now)
    values = ({"given_name": "Jan"},) if use == "change" else ()

    for member in (office.someone(), office.someone((office.watching, office.second)), ended):
        with pytest.raises(NotFound):
            do(office, getattr(members, use), member.membership, *values, actor=boss.actor, now=now)


@pytest.mark.product("TEN-6")
def test_a_company_gives_roles_to_whoever_is_a_member_elsewhere(office, now):
    boss = office.admin_of(office.main)
    member = add(office, BOSS, now, given_name="Anna", assignments=[Wanted(office.editing)])
    here = [Wanted(office.watching, office.main)]

    added = add(office, boss.actor, now, given_name="Hanna", assignments=here)

    assert (added.membership_id, added.state) == (member.membership_id, member.state)
    assert membership(office.id, member.membership_id).given_name == "Anna"
    assert holdings(office.id, member.membership_id) == {
        (office.editing, None, None),
        (office.watching, office.main, None),
    }
    with pytest.raises(AlreadyMember):
        add(office, boss.actor, now, assignments=here)


@pytest.mark.product("TEN-6")
def test_a_company_adds_nobody_without_a_role_there(office, now):
    with pytest.raises(BeyondReach):
        add(office, office.admin_of(office.main).actor, now)


@pytest.mark.product("TEN-7")
def test_another_right_can_be_what_lets_somebody_add(office, now):
    inviting = Right("accounts", "invitations:manage")
    role = making.a_role(office.id, "Z", rights=(SEE, inviting))
    actor = office.someone(role).actor
    wanted = [Wanted(office.watching)]

    with pytest.raises(NotPermitted):
        add(office, actor, now, assignments=wanted)
    assert add(office, actor, now, assignments=wanted, by_right=inviting)


def _actors(office):
    other = an_office("Inny")
    role = making.a_role
    return {
        "operator": BOSS,
        "admin": office.admin().actor,
        "users manager": office.seller().actor,
        "users manager of the company": office.seller(office.main).actor,
        "admin of the company": office.admin_of(office.main).actor,
        "users manager of another company": office.seller(office.second).actor,
        "admin of another company": office.admin_of(office.second).actor,
        "users reader": office.someone(role(office.id, "C", rights=(SEE, USERS[0]))).actor,
        "clients manager": office.someone(role(office.id, "K", rights=(SEE, *CLIENTS))).actor,
        "clients manager of the company": office.someone(
            (role(office.id, "KF", rights=(SEE, *CLIENTS)), office.main)
        ).actor,
        "roles manager": office.someone(role(office.id, "U", rights=(SEE, *ROLES))).actor,
        "member without roles": office.someone().actor,
        "pending admin": office.someone(office.account.admin_role, state="pending").actor,
        "blocked admin": office.someone(office.account.admin_role, state="blocked").actor,
        "client": office.acting(_client(office)),
        "admin of another account": other.admin().actor,
        "nobody": Actor("person:0", NOTHING),
    }


def _client(office):
    person = making.a_person()
    making.a_client(office.id, person)
    return person


OUTSIDE = {"pending admin", "blocked admin", "client", "admin of another account", "nobody"}


ELSEWHERE = {"users manager of another company", "admin of another company"}


ON_ACCOUNT = {"operator", "admin", "users manager"}


ON_COMPANY = {"users manager of the company", "admin of the company"}


OVER_CLIENTS = {"operator", "admin", "clients manager"}


@pytest.mark.product("TEN-6", "TEN-7")
@pytest.mark.security("12.1", "12.2")
def test_each_use_of_members_is_open_to_those_who_may_and_to_nobody_else(office, now):
    """A member with a role on one company, and a client: who may do what to them."""
    wanted = Wanted(office.watching, office.main)
    wrong: list[tuple[str, str, str]] = []
    uses: dict[str, Callable[..., object]] = {
        "add": lambda actor, _: add(
            office, actor, now, f"{len(wrong)}-{actor.id[-12:]}@example.com", assignments=[wanted]
        ),
        "change": lambda actor, one: do(
            office, members.change, one, {"given_name": "Ewa"}, actor=actor, now=now
        ),
        "set": lambda actor, one: do(office, giving.set_assignments, one, [], actor=actor, now=now),
        "give": lambda actor, one: do(office, giving.give, one, wanted, actor=actor, now=now),
        "take": lambda actor, one: do(office, giving.take, one, wanted.place, actor=actor, now=now),
        **{
            use: partial(_do_to, office, getattr(members, use), now)
            for use in ("inform", "block", "unblock", "end_sessions", "remove")
        },
    }
    for who, actor in _actors(office).items():
        for use, act in uses.items():
            member = office.someone((office.watching, office.main)).membership
            allowed = ON_ACCOUNT | ON_COMPANY
            expected = _expected(who, allowed, hidden=set() if use == "add" else ELSEWHERE)
            answer = _answer(act, actor, member)
            if answer != expected:
                wrong.append((who, use, answer))

    assert wrong == []


@pytest.mark.product("TEN-6")
@pytest.mark.security("12.1", "12.2")
def test_each_use_of_clients_is_open_to_those_who_may_and_to_nobody_else(office, now):
    uses: dict[str, Callable[..., object]] = {
        "add": lambda actor, _: add(
            office, actor, now, f"{actor.id[-12:]}@example.com", kind=CLIENT
        ),
        "change": lambda actor, one: do(
            office, members.change, one, {"given_name": "Ewa"}, kind=CLIENT, actor=actor, now=now
        ),
        **{
            use: partial(_do_to, office, getattr(members, use), now, kind=CLIENT)
            for use in ("inform", "block", "unblock", "end_sessions", "remove")
        },
    }
    wrong = [
        (who, use, answer)
        for who, actor in _actors(office).items()
        for use, act in uses.items()
        if (answer := _answer(act, actor, making.a_client(office.id)))
        != _expected(who, OVER_CLIENTS)
    ]

    assert wrong == []


def _do_to(office, use, now, actor, one, **more):
    return do(office, use, one, actor=actor, now=now, **more)


def _expected(who, allowed, hidden=frozenset()):
    if who in allowed:
        return "done"
    if who in OUTSIDE or who in hidden:
        return "NotFound"
    return "BeyondReach" if who in ELSEWHERE and allowed != OVER_CLIENTS else "NotPermitted"


def _answer(act, actor, member):
    try:
        act(actor, member)
    except (NotFound, NotPermitted, MayNotGrant) as refused:
        return type(refused).__name__
    return "done"
