import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from kernel.errors import NotFound, VersionConflict
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended
from tenants.applications.rights import Right
from tenants.applications.service import Declared
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.members import giving
from tenants.members import service as members
from tenants.members.service import Wanted
from tenants.roles import grid
from tenants.roles import service as roles
from tenants.roles.power import NOTHING, Actor, MayNotGrant, NotPermitted
from tenants.roles.service import AdminRole, NameTaken, NotARole, RoleInUse
from tests.conftest import ON_POSTGRESQL
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import (
    BOSS,
    CLIENTS,
    EDIT,
    ROLES,
    SEE,
    USERS,
    an_office,
    declare,
    facts,
    trail,
)

pytestmark = pytest.mark.usefixtures("identity_app")

LETTERS = "abcdefghijkl"
SEE_RIGHT, EDIT_RIGHT = Right(*SEE), Right(*EDIT)


@pytest.fixture
def office():
    return an_office()


def create(office, actor, now, name="Handlowiec", rights=(SEE_RIGHT,), **more):
    with db.transaction(tenant=office.id) as session:
        return roles.create(
            session, office.id, name=name, rights=rights, actor=actor, now=now, **more
        )


def change(office, role, actor, now, **changes):
    with db.transaction(tenant=office.id) as session:
        return roles.change(session, office.id, role, actor=actor, now=now, **changes)


def remove(office, role, actor, now, **more):
    with db.transaction(tenant=office.id) as session:
        roles.remove(session, office.id, role, actor=actor, now=now, **more)


def find(office, role, actor=BOSS):
    with db.reading(tenant=office.id) as session:
        return roles.find(session, office.id, role, actor=actor)


def listed(office, actor=BOSS):
    with db.reading(tenant=office.id) as session:
        return roles.listed(session, office.id, actor=actor)


def roles_manager(office, *more):
    """Somebody who may edit roles, and is no admin."""
    role = making.a_role(office.id, "Uprawnienia", rights=(*ROLES, *more))
    return office.someone(role)


@pytest.mark.product("TEN-8")
def test_an_admin_makes_a_role_from_permissions(office, now):
    made = create(office, office.admin().actor, now, "  Handlowiec  A ", [SEE_RIGHT, EDIT_RIGHT])

    assert (made.name, made.is_admin, made.version) == ("Handlowiec A", False, 1)
    assert made.ticks == {SEE_RIGHT, EDIT_RIGHT}
    assert find(office, made.id) == made


@pytest.mark.product("TEN-8")
def test_roles_are_listed_in_the_order_of_the_alphabet_after_the_admin_role(office, now):
    before = {role.name for role in listed(office)}
    for name in ("Zarząd", "ćwiczenia", "Łącznik", "Biuro", "Lekarz"):
        create(office, BOSS, now, name)

    found = [role.name for role in listed(office)]

    assert found[0] == "admin"
    new = [name for name in found if name not in before]
    assert new == ["Biuro", "ćwiczenia", "Lekarz", "Łącznik", "Zarząd"]


@pytest.mark.product("TEN-8")
def test_what_was_done_to_a_role_is_in_the_trail_and_others_hear_of_it(office, now):
    made = create(office, BOSS, now)
    change(office, made.id, BOSS, now, rights=[])
    remove(office, made.id, BOSS, now)

    assert trail(office.id) == ["role:created", "role:changed", "role:removed"]
    assert [kind for kind, account, _ in facts() if account == office.id] == [
        "role.created",
        "role.changed",
        "role.removed",
    ]


@pytest.mark.product("TEN-13")
def test_the_trail_names_every_tick_also_where_there_are_many(office, now):
    many = [Declared(f"things:{a}-{b}", "T", "T") for a in LETTERS for b in LETTERS]
    declare(now, *many)
    rights = [Right("crm", one.name) for one in many]

    create(office, BOSS, now, rights=rights)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(office.id))
    named = [name for row in rows for name in row.details["given"]["crm"]]
    assert (len(rows), sorted(named)) == (2, sorted(one.name for one in many))


@pytest.mark.product("TEN-8")
def test_a_role_is_changed_where_something_is_said(office, now):
    made = create(office, BOSS, now)
    later = now + timedelta(hours=1)

    renamed = change(office, made.id, BOSS, later, name="Doradca")
    ticked = change(office, made.id, BOSS, later, rights=[EDIT_RIGHT])
    strong = change(office, made.id, BOSS, later, second_factor="strong")
    same = change(office, made.id, BOSS, later, name="Doradca", rights=[EDIT_RIGHT])

    assert (renamed.name, renamed.ticks) == ("Doradca", {SEE_RIGHT})
    assert (ticked.name, ticked.ticks) == ("Doradca", {EDIT_RIGHT})
    assert (strong.second_factor, strong.version, strong.updated_at) == ("strong", 4, later)
    assert same == strong


@pytest.mark.product("OP-4")
def test_a_new_permission_starts_with_admin_alone(office, now):
    new = Declared("contacts:export", "Export", "Eksport")
    declare(now, new)

    having = [role.name for role in listed(office) if role.has(Right("crm", "contacts:export"))]

    assert having == ["admin"]


@pytest.mark.product("OP-4")
def test_a_permission_that_was_retired_is_ticked_again_when_it_returns(office, now):
    export = Declared("contacts:export", "Export", "Eksport")
    right = Right("crm", "contacts:export")
    declare(now, export)
    made = create(office, BOSS, now, rights=[SEE_RIGHT, right])

    declare(now)
    away = find(office, made.id)
    change(office, made.id, BOSS, now, rights=[EDIT_RIGHT])
    with pytest.raises(NotARole):
        change(office, made.id, BOSS, now, rights=[right])
    declare(now, export)

    assert away.ticks == {SEE_RIGHT}
    assert find(office, made.id).ticks == {EDIT_RIGHT, right}


@pytest.mark.product("TEN-17")
def test_ticks_of_an_application_that_the_account_has_lost_stay(office, now):
    making.take(office.id, "crm")

    changed = change(office, office.editing, BOSS, now, rights=[Right(*USERS[0])])
    with pytest.raises(NotARole):
        change(office, office.watching, BOSS, now, rights=[EDIT_RIGHT])

    assert changed.ticks == {SEE_RIGHT, EDIT_RIGHT, Right(*USERS[0])}


@pytest.mark.product("TEN-8")
@pytest.mark.parametrize(
    "changes", [{"name": "Szef"}, {"rights": []}, {"rights": [SEE_RIGHT]}, {"name": "Admin"}]
)
def test_the_admin_role_keeps_its_name_and_its_permissions(office, now, changes):
    with pytest.raises(AdminRole):
        change(office, office.account.admin_role, office.admin().actor, now, **changes)


@pytest.mark.product("TEN-8")
def test_the_admin_role_is_never_removed(office, now):
    with pytest.raises(AdminRole):
        remove(office, office.account.admin_role, BOSS, now)


@pytest.mark.product("ID-6")
def test_admins_can_ask_themselves_for_strong_factors(office, now):
    role = office.account.admin_role

    changed = change(office, role, office.admin().actor, now, second_factor="strong")

    assert (changed.is_admin, changed.second_factor) == (True, "strong")
    with pytest.raises(MayNotGrant):
        change(office, role, roles_manager(office).actor, now, second_factor="default")


@pytest.mark.product("TEN-8")
def test_a_role_that_somebody_holds_is_not_removed(office, now):
    office.someone((office.watching, office.main))

    with pytest.raises(RoleInUse):
        remove(office, office.watching, BOSS, now)

    assert find(office, office.watching)


@pytest.mark.product("TEN-8")
def test_a_role_that_nobody_holds_is_removed(office, now):
    remove(office, office.watching, BOSS, now)

    with pytest.raises(NotFound):
        find(office, office.watching)


@pytest.mark.security("15.2")
def test_a_role_is_never_given_and_removed_at_once(identity_app, office, now):
    """Whoever comes first decides: then it stays with its holder, or can't be given any more."""
    member = office.someone()

    def give():
        with db.transaction(tenant=office.id) as session:
            wanted = Wanted(office.watching, office.main)
            giving.give(session, office.id, member.membership, wanted, actor=BOSS, now=now)

    def take_away():
        remove(office, office.watching, BOSS, now)

    acts = iter([give, take_away] * 25)
    answers = all_at_once(identity_app, 50, lambda: next(acts)())

    refusals = {type(answer) for answer in answers if isinstance(answer, Exception)}
    assert refusals in ({RoleInUse}, {NotFound, members.NotValid})


def let_both_look_before_either_writes(monkeypatch, *, seconds):
    """Of two changes at once: each has read the role and decided before one of them goes on.

    Unless one of them waits for the other already, before it reads: then nobody comes to meet it.
    """
    meeting, decide = threading.Barrier(2), roles._may_give

    def decide_and_meet(actor, account, rights):
        decide(actor, account, rights)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=seconds)

    monkeypatch.setattr(roles, "_may_give", decide_and_meet)


def two_who_add_what_the_other_does_not_hold(app, office, now):
    """What the role has in the end, and how many of the two changes were refused."""
    role = making.a_role(office.id, "Handlowiec")
    one, other = roles_manager(office, SEE), roles_manager_of_users(office)
    wanted = [(one.actor, [SEE_RIGHT]), (other.actor, [Right(*each) for each in USERS])]
    turns = iter(wanted)

    def add():
        actor, rights = next(turns)
        return change(office, role, actor, now, rights=rights)

    answers = all_at_once(app, 2, add)
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(answer) for answer in refused} <= {MayNotGrant}
    return find(office, role).ticks, len(refused)


def roles_manager_of_users(office):
    return office.someone(making.a_role(office.id, "Kadry", rights=(*ROLES, *USERS)))


@pytest.mark.product("TEN-8")
@pytest.mark.security("12.4", "15.2")
def test_two_changes_at_once_never_make_a_role_that_neither_could_give(
    identity_app, office, now, monkeypatch
):
    let_both_look_before_either_writes(monkeypatch, seconds=1)

    ticks, refused = two_who_add_what_the_other_does_not_hold(identity_app, office, now)

    assert refused == 1
    assert ticks in ({SEE_RIGHT}, {Right(*each) for each in USERS})


@pytest.mark.security("15.2")
def test_it_is_the_account_that_is_held_which_keeps_two_changes_apart(
    identity_app, office, now, monkeypatch
):
    """SQLite has one writer at a time anyway; elsewhere nothing else would."""
    monkeypatch.setattr(accounts, "hold", lambda *_, **__: None)
    let_both_look_before_either_writes(monkeypatch, seconds=20 if ON_POSTGRESQL else 1)

    ticks, refused = two_who_add_what_the_other_does_not_hold(identity_app, office, now)

    is_mixed = ticks == {SEE_RIGHT, *(Right(*each) for each in USERS)}
    assert (is_mixed, refused) == ((True, 0) if ON_POSTGRESQL else (False, 1))


@pytest.mark.product("TEN-8")
@pytest.mark.parametrize("name", ["HANDLOWIEC", " handlowiec ", "Handlowiec", "Ｈandlowiec"])
def test_of_one_name_an_account_has_one_role(office, now, name):
    create(office, BOSS, now, "Handlowiec")

    with pytest.raises(NameTaken):
        create(office, BOSS, now, name)
    with pytest.raises(NameTaken):
        change(office, office.watching, BOSS, now, name=name)


@pytest.mark.product("TEN-8")
def test_roles_are_the_accounts_own(office, now):
    other = an_office("Inny")
    mine = create(office, BOSS, now, "Handlowiec")
    theirs = create(other, BOSS, now, "Handlowiec")

    assert mine.id != theirs.id
    with pytest.raises(NotFound):
        find(office, theirs.id)
    with pytest.raises(NotFound):
        change(office, theirs.id, BOSS, now, name="Mój")


@pytest.mark.product("TEN-8")
@pytest.mark.security("15.2")
def test_of_fifty_who_make_one_name_at_once_one_makes_it(identity_app, office, now):
    answers = all_at_once(identity_app, 50, lambda: create(office, BOSS, now))

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 49
    assert {type(answer) for answer in refused} == {NameTaken}


@pytest.mark.security("15.2")
def test_of_fifty_changes_of_one_version_one_happens(identity_app, office, now):
    names = iter(f"Rola {number}" for number in range(50))

    answers = all_at_once(
        identity_app,
        50,
        lambda: change(office, office.watching, BOSS, now, name=next(names), version=1),
    )

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert (len(refused), {type(answer) for answer in refused}) == (49, {VersionConflict})


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 101},
        {"name": "a\x00b"},
        {"name": "ﷺ" * 20},
        {"name": 7},
        {"name": "x" * 1_000},
        {"second_factor": "none"},
        {"rights": [Right("crm", "contacts:eat")]},
        {"rights": [Right("unknown", "contacts:read")]},
    ],
)
def test_a_role_that_cannot_be_is_refused(office, now, wrong):
    with pytest.raises(NotARole):
        create(office, BOSS, now, **wrong)


def test_an_account_has_only_so_many_roles(office, now, monkeypatch):
    monkeypatch.setattr(roles, "_MOST_ROLES", 4)

    with pytest.raises(NotARole):
        create(office, BOSS, now)


@pytest.mark.product("TEN-8")
def test_nothing_changes_in_a_suspended_account(office, now):
    making.change_account(office.id, status="suspended")

    with pytest.raises(AccountSuspended):
        create(office, BOSS, now)


@pytest.mark.security("12.4")
def test_a_role_is_made_of_what_one_holds(office, now):
    manager = roles_manager(office, SEE).actor

    made = create(office, manager, now, rights=[SEE_RIGHT])
    with pytest.raises(MayNotGrant):
        create(office, manager, now, "Więcej", rights=[SEE_RIGHT, EDIT_RIGHT])

    assert made.ticks == {SEE_RIGHT}


@pytest.mark.security("12.4")
@pytest.mark.parametrize(
    "changes",
    [{"name": "Inna"}, {"rights": []}, {"second_factor": "strong"}, {"rights": [SEE_RIGHT]}],
)
def test_a_role_with_more_than_one_holds_is_left_alone(office, now, changes):
    manager = roles_manager(office, SEE).actor

    with pytest.raises(MayNotGrant):
        change(office, office.editing, manager, now, **changes)
    with pytest.raises(MayNotGrant):
        remove(office, office.editing, manager, now)


@pytest.mark.security("12.4")
def test_nobody_ticks_for_themselves_what_they_lack(office, now):
    manager = roles_manager(office, SEE)
    own = next(role for role in listed(office) if role.name == "Uprawnienia")

    with pytest.raises(MayNotGrant):
        change(office, own.id, manager.actor, now, rights=own.ticks | {EDIT_RIGHT})


def _actors(office):
    other = an_office("Inny")
    return {
        "operator": BOSS,
        "admin": office.admin().actor,
        "roles manager": roles_manager(office, SEE).actor,
        "roles reader": office.someone(
            making.a_role(office.id, "Czytelnik", rights=ROLES[:1])
        ).actor,
        "users manager": office.seller().actor,
        "clients manager": office.someone(making.a_role(office.id, "K", rights=CLIENTS)).actor,
        "company admin": office.admin_of(office.main).actor,
        "roles manager of a company": office.someone(
            (making.a_role(office.id, "F", rights=(*ROLES, SEE)), office.main)
        ).actor,
        "member without roles": office.someone().actor,
        "pending admin": office.someone(office.account.admin_role, state="pending").actor,
        "blocked admin": office.someone(office.account.admin_role, state="blocked").actor,
        "admin of another account": other.admin().actor,
        "nobody": Actor("person:0", NOTHING),
    }


READERS = {"operator", "admin", "roles manager", "roles reader"}
MANAGERS = {"operator", "admin", "roles manager"}
ACCOUNT_LESS = {
    "pending admin",
    "blocked admin",
    "admin of another account",
    "nobody",
}


@pytest.mark.product("TEN-8")
@pytest.mark.security("12.1")
def test_each_use_of_roles_is_open_to_those_who_may_and_to_nobody_else(office, now):
    uses = {
        "list": (READERS, lambda actor, _: listed(office, actor)),
        "find": (READERS, lambda actor, role: find(office, role, actor)),
        "grid": (READERS, lambda actor, _: _grid(office, actor)),
        "create": (MANAGERS, lambda actor, _: create(office, actor, now, f"Nowa {actor.id}")),
        "change": (MANAGERS, lambda actor, role: change(office, role, actor, now, rights=[])),
        "remove": (MANAGERS, lambda actor, role: remove(office, role, actor, now)),
    }
    wrong = []
    for who, actor in _actors(office).items():
        for use, (allowed, act) in uses.items():
            role = making.a_role(office.id, f"{use} {who}", rights=(SEE,))
            try:
                act(actor, role)
                answer = "done"
            except (NotFound, NotPermitted) as refused:
                answer = type(refused).__name__
            expected = "done"
            if who not in allowed:
                expected = "NotFound" if who in ACCOUNT_LESS else "NotPermitted"
            if answer != expected:
                wrong.append((who, use, answer))

    assert wrong == []


def _grid(office, actor):
    with db.reading(tenant=office.id) as session:
        return grid.read(session, office.id, actor=actor)
