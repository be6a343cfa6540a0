"""Whatever is given by whomever, in whatever order: nobody ends with what no giver held."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import NotFound
from kernel.ids import new_id
from tenants.roles.power import (
    ALL,
    NOTHING,
    OPERATOR,
    Actor,
    NotPermitted,
    Power,
    Reach,
    Right,
    demand,
    may,
    narrowed,
    on_one_company,
    power_of,
    reach,
    why_not_grant,
)
from tenants.standing.service import HeldRole, Standing

ACCOUNT = "0123456789ab"
HERE, THERE = "a" * 16, "b" * 16
SEE, EDIT = Right("crm", "contacts:read"), Right("crm", "contacts:write")
USERS = Right("accounts", "users:manage")
RIGHTS = (SEE, EDIT, USERS)


def a_role(*rights, company=None, is_admin=False) -> HeldRole:
    return HeldRole(
        id=new_id(),
        name="Sprzedaż",
        is_admin=is_admin,
        wants_strong=False,
        company=company,
        rights=frozenset(rights),
    )


def a_standing(*roles, **changes) -> Standing:
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "account_name": "Zielony Dom",
        "account_status": "active",
        "person_id": UUID(int=1),
        "person_is_active": True,
        "member_id": UUID(int=2),
        "member_state": "active",
        "client_id": None,
        "client_state": None,
        "signed_out_at": None,
        "sign_in_hours": None,
        "wants_strong": False,
        "applications": frozenset(),
        "roles": roles,
    }
    return Standing(**(facts | changes))


def power(*roles) -> Power:
    return power_of(a_standing(*roles))


ADMIN = power(a_role(is_admin=True))
ADMIN_HERE = power(a_role(is_admin=True, company=HERE))
SELLER = power(a_role(SEE, USERS))
SELLER_HERE = power(a_role(SEE, USERS, company=HERE))


@pytest.mark.security("12.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"account_status": "suspended"},
        {"account_status": "closed"},
        {"person_is_active": False},
        {"member_state": "pending"},
        {"member_state": "blocked"},
        {"member_state": None, "client_state": "active"},
    ],
)
def test_there_is_no_power_unless_account_person_and_membership_are_active(changes):
    standing = a_standing(a_role(SEE, is_admin=True), **changes)

    assert power_of(standing) == NOTHING


def test_who_stands_nowhere_has_no_power():
    assert power_of(None) == NOTHING
    assert not any(may(NOTHING, right, where) for right in RIGHTS for where in (None, HERE))


@pytest.mark.product("TEN-6")
@pytest.mark.parametrize(
    ("held", "right", "company", "answer"),
    [
        (ADMIN, EDIT, None, True),
        (ADMIN, EDIT, HERE, True),
        (ADMIN_HERE, EDIT, None, False),
        (ADMIN_HERE, EDIT, HERE, True),
        (ADMIN_HERE, EDIT, THERE, False),
        (SELLER, SEE, None, True),
        (SELLER, SEE, THERE, True),
        (SELLER, EDIT, None, False),
        (SELLER, EDIT, HERE, False),
        (SELLER_HERE, SEE, None, False),
        (SELLER_HERE, SEE, HERE, True),
        (SELLER_HERE, SEE, THERE, False),
        (SELLER_HERE, EDIT, HERE, False),
        (OPERATOR, EDIT, None, True),
        (NOTHING, SEE, HERE, False),
    ],
)
def test_a_right_holds_where_it_was_given(held, right, company, answer):
    assert may(held, right, company) is answer


@pytest.mark.parametrize(
    ("held", "area"),
    [
        (ADMIN, Reach(whole=True)),
        (OPERATOR, Reach(whole=True)),
        (SELLER, Reach(whole=True)),
        (SELLER_HERE, Reach(whole=False, companies=frozenset({HERE}))),
        (ADMIN_HERE, Reach(whole=False, companies=frozenset({HERE}))),
        (power(a_role(SEE)), Reach(whole=False)),
        (
            power(a_role(USERS, company=HERE), a_role(is_admin=True, company=THERE)),
            Reach(whole=False, companies=frozenset({HERE, THERE})),
        ),
    ],
)
def test_a_right_reaches_over_the_account_or_over_companies(held, area):
    assert reach(held, USERS) == area
    assert bool(area) is (area.whole or bool(area.companies))


@pytest.mark.security("12.4")
@pytest.mark.parametrize(
    ("held", "rights", "company", "reason"),
    [
        (OPERATOR, ALL, None, None),
        (ADMIN, ALL, None, None),
        (ADMIN, {EDIT}, HERE, None),
        (SELLER, {SEE}, None, None),
        (SELLER, {SEE, USERS}, HERE, None),
        (SELLER, {SEE, EDIT}, None, "does not hold crm:contacts:write"),
        (SELLER, ALL, None, "the admin role is given by an admin alone"),
        (SELLER, ALL, HERE, "the admin role is given by an admin alone"),
        (SELLER_HERE, {SEE}, HERE, None),
        (SELLER_HERE, {EDIT}, HERE, "does not hold crm:contacts:write"),
        (SELLER_HERE, {SEE}, THERE, "no power over this company"),
        (SELLER_HERE, set(), THERE, "no power over this company"),
        (SELLER_HERE, set(), None, "a power over companies does not touch the whole account"),
        (SELLER_HERE, {SEE}, None, "a power over companies does not touch the whole account"),
        (ADMIN_HERE, ALL, HERE, None),
        (ADMIN_HERE, {EDIT}, HERE, None),
        (ADMIN_HERE, ALL, THERE, "the admin role is given by an admin alone"),
        (ADMIN_HERE, ALL, None, "a power over companies does not touch the whole account"),
        (NOTHING, set(), None, "a power over companies does not touch the whole account"),
        (NOTHING, set(), HERE, "no power over this company"),
    ],
)
def test_nobody_gives_what_they_do_not_hold_there(held, rights, company, reason):
    assert why_not_grant(held, rights, company=company) == reason


@pytest.mark.security("12.7")
def test_a_narrowed_power_has_no_more_than_it_was_left_with():
    kept = narrowed(power(a_role(SEE, USERS), a_role(EDIT, company=HERE)), {SEE, EDIT})

    assert kept.account == ACCOUNT
    assert kept.on_account == {SEE}
    assert kept.on_companies == {HERE: {EDIT}}


@pytest.mark.security("12.7")
def test_an_admins_power_narrowed_is_no_admins():
    kept = narrowed(ADMIN, {SEE})
    kept_here = narrowed(ADMIN_HERE, {SEE})

    assert (may(kept, SEE), may(kept, EDIT)) == (True, False)
    assert why_not_grant(kept, ALL, company=None)
    assert (may(kept_here, SEE, HERE), may(kept_here, EDIT, HERE)) == (True, False)
    assert why_not_grant(kept_here, ALL, company=HERE)


@pytest.mark.product("OP-3")
@pytest.mark.security("12.2", "13.1")
@pytest.mark.parametrize(
    ("held", "here"),
    [
        (ADMIN, {SEE, EDIT, USERS}),
        (ADMIN_HERE, {SEE, EDIT, USERS}),
        (SELLER, {SEE, USERS}),
        (SELLER_HERE, {SEE, USERS}),
        (power(a_role(SEE), a_role(EDIT, company=HERE)), {SEE, EDIT}),
        (power(a_role(SEE, company=HERE), a_role(EDIT, company=THERE)), {SEE}),
        (power(a_role(is_admin=True, company=THERE)), set()),
    ],
)
def test_in_the_context_of_one_company_a_power_is_what_it_is_there_and_nothing_else(held, here):
    left = on_one_company(held, HERE)

    assert {right for right in RIGHTS if may(left, right, HERE)} == here
    assert not any(may(left, right, where) for right in RIGHTS for where in (None, THERE))
    for company in (None, THERE):
        assert why_not_grant(left, {SEE}, company=company)
    assert not any(reach(left, right).whole for right in RIGHTS)
    assert (why_not_grant(left, ALL, company=HERE) is None) is (held in (ADMIN, ADMIN_HERE))


@pytest.mark.security("12.4")
def test_what_is_kept_is_kept_in_the_context_of_one_company_too():
    manager = Power(account=ACCOUNT, on_account=frozenset({SEE, USERS}), kept=frozenset({USERS}))

    assert why_not_grant(on_one_company(manager, HERE), {USERS}, company=HERE)


@pytest.mark.security("12.4")
def test_what_is_kept_is_used_and_passed_on_to_nobody():
    manager = Power(account=ACCOUNT, on_account=frozenset({SEE, USERS}), kept=frozenset({USERS}))

    for held in (manager, narrowed(manager, {SEE, USERS})):
        assert may(held, USERS)
        assert why_not_grant(held, {SEE}, company=None) is None
        assert why_not_grant(held, {SEE, USERS}, company=None)


@pytest.mark.security("12.2")
def test_power_in_one_account_is_none_in_another():
    admin = Actor("person:1", ADMIN)

    assert demand(admin, ACCOUNT, EDIT) == ADMIN
    with pytest.raises(NotFound):
        demand(admin, "ffffffffffff", SEE)


@pytest.mark.security("12.1")
def test_what_is_not_held_is_refused():
    seller = Actor("person:1", SELLER_HERE)

    assert demand(seller, ACCOUNT, SEE, HERE) == SELLER_HERE
    with pytest.raises(NotPermitted):
        demand(seller, ACCOUNT, SEE)


def test_the_operators_power_is_in_every_account():
    operator = Actor("operator", OPERATOR)

    assert demand(operator, ACCOUNT, EDIT) == demand(operator, "ffffffffffff", EDIT) == OPERATOR


@dataclass
class World:
    """Who holds which roles: what a database would hold, and the rule applied before each change."""

    roles: dict[int, frozenset[Right] | None] = field(default_factory=dict)
    """None: the admin role."""
    held: dict[int, set[tuple[int, str | None]]] = field(default_factory=dict)

    def power(self, actor: int) -> Power:
        return power(
            *(
                a_role(*(self.roles[role] or ()), company=company, is_admin=role == 0)
                for role, company in self.held.get(actor, set())
            )
        )

    def rights(self, role: int):
        return ALL if role == 0 else self.roles[role]

    def everything(self) -> dict[tuple[Right, str | None], set[int]]:
        """Who has which right, where."""
        return {
            (right, where): {actor for actor in self.held if may(self.power(actor), right, where)}
            for right in RIGHTS
            for where in (None, HERE, THERE)
        }

    def act(self, actor: int, step) -> bool:
        kind, who, role, company, rights = step
        mine = self.power(actor)
        if kind == "give":
            if why_not_grant(mine, self.rights(role), company=company):
                return False
            self.held.setdefault(who, set()).add((role, company))
            return True
        if role == 0:
            return False
        if why_not_grant(mine, self.roles[role] | rights, company=None):
            return False
        self.roles[role] = rights
        return True


PEOPLE = range(4)
STEPS = st.tuples(
    st.sampled_from(["give", "give", "change"]),
    st.sampled_from(PEOPLE),
    st.sampled_from(range(4)),
    st.sampled_from([None, HERE, THERE]),
    st.frozensets(st.sampled_from(RIGHTS)),
)
HOLDINGS = st.sets(st.tuples(st.sampled_from(range(4)), st.sampled_from([None, HERE, THERE])))


@pytest.mark.security("12.4")
@settings(max_examples=300, deadline=None)
@given(
    roles=st.lists(st.frozensets(st.sampled_from(RIGHTS)), min_size=3, max_size=3),
    held=st.lists(HOLDINGS, min_size=4, max_size=4),
    steps=st.lists(st.tuples(st.sampled_from(PEOPLE), STEPS), max_size=12),
)
def test_whatever_is_given_nobody_ends_with_a_right_that_no_giver_held(roles, held, steps):
    world = World(dict(enumerate([None, *roles])), dict(enumerate(map(set, held))))

    for actor, step in steps:
        before = world.everything()
        admins_before = {who for who in world.held if world.power(who).is_admin}
        if not world.act(actor, step):
            continue
        for (right, where), holders in world.everything().items():
            new = holders - before[right, where]
            # Where somebody gained a right, whoever gave it held it there.
            assert not new or actor in before[right, where]
        new_admins = {who for who in world.held if world.power(who).is_admin} - admins_before
        assert not new_admins or actor in admins_before
