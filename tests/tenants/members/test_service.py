from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from kernel.errors import NotFound, VersionConflict
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended
from tenants.applications.rights import Right
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.facts.models import Fact
from tenants.members import rows
from tenants.members import service as members
from tenants.members.admins import acts_as_admin
from tenants.members.assignments import Place
from tenants.members.service import (
    AlreadyMember,
    BeyondReach,
    Blocked,
    LastAdmin,
    MemberKind,
    NotAnAddress,
    NotValid,
    State,
    Wanted,
)
from tenants.people import service as people
from tenants.roles.power import NOTHING, OPERATOR, Actor, MayNotGrant, NotPermitted
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import (
    BOSS,
    CLIENTS,
    ROLES,
    SEE,
    USERS,
    an_office,
    facts,
    holdings,
    membership,
    trail,
)

pytestmark = pytest.mark.usefixtures("identity_app")

EMAIL = "anna@example.com"
CLIENT = MemberKind.CLIENT


@pytest.fixture
def office():
    return an_office()


def do(office, what, *args, **kwargs):
    """One use case in the account's own transaction."""
    with db.transaction(tenant=office.id) as session:
        return what(session, office.id, *args, **kwargs)


def add(office, actor, now, email=EMAIL, **more):
    return do(office, members.add, email=email, actor=actor, now=now, **more)


def person_of(email):
    with db.reading() as session:
        return people.find_by_email(session, email)


def an_id(email=EMAIL):
    return making.a_person(email)


def version_of(office, member):
    return membership(office.id, member).version


@pytest.mark.product("TEN-6")
def test_a_user_is_added_with_roles_already_in_the_form(office, now):
    end = now + timedelta(days=30)
    wanted = [Wanted(office.watching), Wanted(office.selling, office.second, end)]

    added = add(
        office,
        office.admin().actor,
        now,
        given_name=" Anna ",
        family_name="Nowak",
        phone="+48 600 700 800",
        locale="pl",
        assignments=wanted,
    )

    row = membership(office.id, added.membership_id)
    assert (row.kind, row.email, row.given_name, row.family_name) == (
        "member",
        EMAIL,
        "Anna",
        "Nowak",
    )
    assert (row.phone, row.locale, row.sort_name) == ("+48 600 700 800", "pl", "nowak anna")
    assert holdings(office.id, added.membership_id) == {
        (office.watching, None, None),
        (office.selling, office.second, end),
    }


@pytest.mark.product("TEN-7")
def test_adding_an_address_makes_an_id_that_nobody_can_use_yet(office, now):
    added = add(office, BOSS, now, "Anna@Example.com", given_name="Anna", locale="pl")

    person = person_of(EMAIL)
    assert (added.is_new_person, added.person_id) == (True, person.id)
    assert (person.email, person.given_name, person.locale) == ("Anna@example.com", "Anna", "pl")
    assert membership(office.id, added.membership_id).state == State.ACTIVE


@pytest.mark.product("TEN-7")
@pytest.mark.parametrize("silently", [True, False])
def test_what_is_noted_says_whether_the_person_is_to_be_told(office, now, silently):
    add(office, BOSS, now, silently=silently)

    with db.reading() as session:
        fact = session.query(Fact).where(Fact.kind == "member.added").one()
    assert fact.details["inform"] is not silently


@pytest.mark.product("TEN-7")
def test_whoever_was_added_silently_can_be_told_later_unless_blocked(office, now):
    added = add(office, BOSS, now)

    do(office, members.inform, added.membership_id, actor=BOSS, now=now)
    do(office, members.block, added.membership_id, actor=BOSS, now=now)
    with pytest.raises(Blocked):
        do(office, members.inform, added.membership_id, actor=BOSS, now=now)

    assert trail(office.id) == ["member:added", "member:informed", "member:blocked"]
    assert facts()[1] == ("member.informed", office.id, added.person_id)


@pytest.mark.product("TEN-6")
def test_an_existing_person_has_no_power_until_they_accept(office, now):
    person = an_id()

    added = add(office, BOSS, now, assignments=[Wanted(office.account.admin_role)])

    assert (added.person_id, added.is_new_person) == (person, False)
    assert membership(office.id, added.membership_id).state == State.PENDING
    assert office.acting(person).power == NOTHING


@pytest.mark.product("TEN-6")
def test_the_profile_of_an_existing_person_stays_as_it_is(office, now):
    an_id()

    add(office, BOSS, now, given_name="Anka", locale="pl")

    person = person_of(EMAIL)
    assert (person.given_name, person.locale) == (None, None)


@pytest.mark.product("TEN-6", "TEN-7")
@pytest.mark.security("13.6")
def test_the_answer_is_the_same_whether_there_was_an_id_or_not(office, now):
    an_id("known@example.com")

    answers = [
        add(office, BOSS, now, email, silently=False)
        for email in ("known@example.com", "unknown@example.com")
    ]

    assert [answer.state for answer in answers] == [State.PENDING, State.PENDING]
    with db.reading() as session:
        told = [fact.details.keys() for fact in session.query(Fact).order_by(Fact.number)]
    assert told[0] == told[1]


@pytest.mark.product("TEN-6")
def test_clients_are_active_at_once_and_hold_no_roles(office, now):
    an_id()

    added = add(office, BOSS, now, kind=CLIENT)

    assert added.state is State.ACTIVE
    assert membership(office.id, added.membership_id).state == State.ACTIVE
    with pytest.raises(NotValid):
        add(
            office,
            BOSS,
            now,
            "other@example.com",
            kind=CLIENT,
            assignments=[Wanted(office.watching)],
        )


@pytest.mark.product("TEN-6")
@pytest.mark.parametrize("again", [EMAIL, "ANNA@Example.COM", " anna@example.com "])
def test_the_same_address_is_once_in_one_account(office, now, again):
    add(office, BOSS, now)

    with pytest.raises(AlreadyMember):
        add(office, BOSS, now, again)


@pytest.mark.product("TEN-6")
def test_a_person_can_be_member_and_client_of_one_account(office, now):
    member = add(office, BOSS, now)
    client = add(office, BOSS, now, kind=CLIENT)

    assert member.person_id == client.person_id
    with pytest.raises(AlreadyMember):
        add(office, BOSS, now, kind=CLIENT)


@pytest.mark.product("TEN-6")
def test_a_person_is_in_any_number_of_accounts_with_different_roles(office, now):
    other = an_office("Inny")

    here = add(office, BOSS, now, assignments=[Wanted(office.watching)])
    there = add(other, BOSS, now, assignments=[Wanted(other.editing, other.second)])

    assert here.person_id == there.person_id
    assert holdings(office.id, here.membership_id) == {(office.watching, None, None)}
    assert holdings(other.id, there.membership_id) == {(other.editing, other.second, None)}


@pytest.mark.product("TEN-6")
def test_a_user_works_on_any_number_of_companies_also_none(office, now):
    roles = [(office.watching, office.main), (office.editing, office.second)]

    everywhere = add(office, BOSS, now, assignments=[Wanted(*one) for one in roles])
    nowhere = add(office, BOSS, now, "jan@example.com")

    assert len(holdings(office.id, everywhere.membership_id)) == 2
    assert holdings(office.id, nowhere.membership_id) == set()


@pytest.mark.product("TEN-6")
@pytest.mark.security("15.2")
def test_of_fifty_who_add_an_address_at_once_one_does(identity_app, office, now):
    answers = all_at_once(identity_app, 50, lambda: add(office, BOSS, now))

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert (len(refused), {type(answer) for answer in refused}) == (49, {AlreadyMember})


@pytest.mark.product("ID-2")
@pytest.mark.security("15.2")
def test_accounts_that_add_an_unknown_address_at_once_share_one_id(identity_app, office, now):
    offices = [office, *(an_office(f"Biuro {number}") for number in range(9))]
    mine = iter(offices)

    answers = all_at_once(identity_app, 10, lambda: add(next(mine), BOSS, now))

    assert {answer.person_id for answer in answers} == {person_of(EMAIL).id}
    assert sum(answer.is_new_person for answer in answers) == 1


@pytest.mark.product("TEN-6")
def test_who_said_yes_already_is_in_at_once(office, now):
    person = an_id()

    added = add(office, BOSS, now, accepted=True, assignments=[Wanted(office.account.admin_role)])

    row = membership(office.id, added.membership_id)
    assert (added.state, row.state, row.accepted_at) == (State.ACTIVE, State.ACTIVE, now)
    assert office.acting(person).power.is_admin


@pytest.mark.security("15.1")
@pytest.mark.parametrize("email", ["", "anna", "a@b, c@d.example", "Anna <anna@example.com>"])
def test_what_is_no_address_is_not_added(office, now, email):
    with pytest.raises(NotAnAddress):
        add(office, BOSS, now, email)


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"given_name": "x" * 101},
        {"family_name": "a\x00b"},
        {"phone": "call me"},
        {"locale": "de"},
        {"given_name": 7},
    ],
)
def test_what_no_name_phone_or_language_is_is_refused(office, now, wrong):
    with pytest.raises(NotValid):
        add(office, BOSS, now, **wrong)


def test_a_role_is_wanted_once_in_a_place_and_not_until_yesterday(office, now):
    with pytest.raises(NotValid):
        add(office, BOSS, now, assignments=[Wanted(office.watching)] * 2)
    with pytest.raises(NotValid):
        add(office, BOSS, now, assignments=[Wanted(office.watching, None, now)])


@pytest.mark.security("13.6")
def test_roles_and_companies_of_others_are_as_unknown_as_none(office, now):
    other = an_office("Inny")
    archived = making.a_company(office.id, archived_at=now)

    for wanted in (
        Wanted(other.watching),
        Wanted(office.watching, other.main),
        Wanted(office.watching, "f" * 16),
        Wanted(office.watching, archived),
    ):
        with pytest.raises(NotValid):
            add(office, BOSS, now, assignments=[wanted])


@pytest.mark.product("TEN-6")
def test_a_name_is_changed_and_the_address_never(office, now):
    added = add(office, BOSS, now, given_name="Anna")

    do(office, members.change, added.membership_id, {"family_name": "Żak"}, actor=BOSS, now=now)
    with pytest.raises(NotValid):
        do(
            office,
            members.change,
            added.membership_id,
            {"email": "x@y.example"},
            actor=BOSS,
            now=now,
        )

    row = membership(office.id, added.membership_id)
    assert (row.given_name, row.family_name, row.sort_name) == ("Anna", "Żak", "żak anna")
    assert (row.email, row.version) == (EMAIL, 2)


def test_a_change_that_changes_nothing_leaves_no_trace(office, now):
    added = add(office, BOSS, now, given_name="Anna")

    do(office, members.change, added.membership_id, {"given_name": "Anna"}, actor=BOSS, now=now)

    assert version_of(office, added.membership_id) == 1
    assert trail(office.id) == ["member:added"]


@pytest.mark.product("TEN-6")
def test_permissions_are_changed(office, now):
    member = office.someone(office.watching, (office.editing, office.main))
    wanted = [Wanted(office.watching), Wanted(office.selling, office.second)]

    news = do(office, members.set_assignments, member.membership, wanted, actor=BOSS, now=now)
    again = do(office, members.set_assignments, member.membership, wanted, actor=BOSS, now=now)

    assert (news, again) == (True, False)
    assert holdings(office.id, member.membership) == {
        (office.watching, None, None),
        (office.selling, office.second, None),
    }
    assert facts()[-1] == ("member.roles_changed", office.id, member.person)


@pytest.mark.product("TEN-13")
def test_the_trail_names_every_role_also_where_there_are_many(office, now):
    roles = [making.a_role(office.id, f"Rola {number}") for number in range(130)]
    member = office.someone()

    wanted = [Wanted(role) for role in roles]
    do(office, members.set_assignments, member.membership, wanted, actor=BOSS, now=now)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(office.id))
    named = [one["role"] for row in rows for one in row.details["given"]]
    assert (len(rows), sorted(named)) == (2, sorted(map(str, roles)))


@pytest.mark.product("TEN-6")
def test_a_role_is_given_until_a_moment_prolonged_and_taken(office, now):
    member = office.someone()
    soon, later = now + timedelta(days=1), now + timedelta(days=9)
    place = Place(office.watching, office.main)

    given = do(office, members.give, member.membership, Wanted(*place, soon), actor=BOSS, now=now)
    prolonged = do(
        office, members.give, member.membership, Wanted(*place, later), actor=BOSS, now=now
    )
    assert holdings(office.id, member.membership) == {(*place, later)}
    taken = do(office, members.take, member.membership, place, actor=BOSS, now=now)
    again = do(office, members.take, member.membership, place, actor=BOSS, now=now)

    assert (given, prolonged, taken, again) == (True, True, True, False)
    assert holdings(office.id, member.membership) == set()


@pytest.mark.product("TEN-6")
def test_a_role_that_ended_is_held_no_more_and_can_be_given_again(office, now):
    member = office.someone()
    yesterday = now - timedelta(days=1)
    making.assign(office.id, member.membership, office.watching, expires_at=yesterday)

    given = do(
        office, members.give, member.membership, Wanted(office.watching), actor=BOSS, now=now
    )

    assert given
    assert holdings(office.id, member.membership) == {(office.watching, None, None)}


@pytest.mark.product("TEN-6")
@pytest.mark.security("15.2")
def test_of_fifty_who_give_a_role_at_once_one_does(identity_app, office, now):
    member = office.someone()
    wanted = Wanted(office.watching, office.main)

    answers = all_at_once(
        identity_app,
        50,
        lambda: do(office, members.give, member.membership, wanted, actor=BOSS, now=now),
    )

    assert (answers.count(False), answers.count(True)) == (49, 1)
    assert len(holdings(office.id, member.membership)) == 1


@pytest.mark.security("15.2")
def test_of_fifty_changes_of_one_version_one_happens(identity_app, office, now):
    member = office.someone()
    wanted = [Wanted(office.watching)]

    answers = all_at_once(
        identity_app,
        50,
        lambda: do(
            office,
            members.set_assignments,
            member.membership,
            wanted,
            version=1,
            actor=BOSS,
            now=now,
        ),
    )

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert (len(refused), {type(answer) for answer in refused}) == (49, {VersionConflict})


@pytest.mark.product("TEN-6")
def test_a_blocked_member_has_no_power_and_gets_it_back(office, now):
    boss, member = office.admin(), office.someone(office.selling)

    blocked = do(office, members.block, member.membership, actor=boss.actor, now=now)
    again = do(office, members.block, member.membership, actor=boss.actor, now=now)
    powerless = office.acting(member.person).power
    back = do(office, members.unblock, member.membership, actor=boss.actor, now=now)
    no_news = do(office, members.unblock, member.membership, actor=boss.actor, now=now)

    assert (blocked, again, back, no_news) == (True, False, True, False)
    assert powerless == NOTHING
    assert office.acting(member.person) == member.actor
    assert trail(office.id) == ["member:blocked", "member:unblocked"]


@pytest.mark.product("TEN-6")
def test_who_never_accepted_is_asked_again_after_a_block(office, now):
    an_id()
    added = add(office, BOSS, now)

    do(office, members.block, added.membership_id, actor=BOSS, now=now)
    do(office, members.unblock, added.membership_id, actor=BOSS, now=now)

    assert membership(office.id, added.membership_id).state == State.PENDING


@pytest.mark.product("TEN-6")
def test_a_removed_user_is_gone_and_keeps_the_id(office, now):
    member = office.someone(office.watching)

    do(office, members.remove, member.membership, actor=BOSS, now=now)

    assert membership(office.id, member.membership) is None
    assert office.acting(member.person).power == NOTHING
    with db.reading() as session:
        assert people.find(session, member.person).is_active
    assert facts()[-1] == ("member.removed", office.id, member.person)


@pytest.mark.product("TEN-6")
@pytest.mark.parametrize("use", ["block", "unblock", "remove", "change", "end_sessions"])
def test_clients_have_their_own_words(office, now, use):
    client = making.a_client(office.id, state="blocked" if use == "unblock" else "active")
    values = ({"given_name": "Jan"},) if use == "change" else ()

    do(office, getattr(members, use), client, *values, kind=CLIENT, actor=BOSS, now=now)

    word = {"end_sessions": "signed-out", "change": "changed", "remove": "removed"}.get(
        use, f"{use}ed"
    )
    assert trail(office.id) == [f"client-account:{word}"]


@pytest.mark.security("13.6")
@pytest.mark.parametrize("use", ["block", "unblock", "remove", "end_sessions"])
def test_a_client_is_no_user_and_a_user_no_client(office, now, use):
    client, member = making.a_client(office.id), office.someone().membership

    with pytest.raises(NotFound):
        do(office, getattr(members, use), client, actor=BOSS, now=now)
    with pytest.raises(NotFound):
        do(office, getattr(members, use), member, kind=CLIENT, actor=BOSS, now=now)


@pytest.mark.security("5.5")
@pytest.mark.parametrize("kind", list(MemberKind))
@pytest.mark.parametrize("goes", ["is removed", "leaves"])
def test_who_is_back_signs_in_anew_in_this_account_and_in_no_other(office, now, kind, goes):
    if goes == "leaves" and kind is CLIENT:
        goes = "is removed"
    an_id()
    added, elsewhere = add(office, BOSS, now, kind=kind), add(an_office("Biuro"), BOSS, now)
    gone, back = now + timedelta(hours=1), now + timedelta(hours=2)

    if goes == "leaves":
        do(office, members.leave, person_id=added.person_id, now=gone)
    else:
        do(office, members.remove, added.membership_id, kind=kind, actor=BOSS, now=gone)
    again = add(office, BOSS, back, kind=kind)

    assert membership(office.id, again.membership_id).signed_out_at == gone
    other = {MemberKind.MEMBER: CLIENT, CLIENT: MemberKind.MEMBER}[kind]
    in_other_kind = add(office, BOSS, back, kind=other)
    assert membership(office.id, in_other_kind.membership_id).signed_out_at is None
    do(office, members.remove, again.membership_id, kind=kind, actor=BOSS, now=back)
    third = add(office, BOSS, back, kind=kind)
    assert membership(office.id, third.membership_id).signed_out_at == back
    assert elsewhere.person_id == third.person_id


@pytest.mark.security("5.5")
@pytest.mark.parametrize("kind", list(MemberKind))
def test_what_a_block_ended_does_not_come_back_when_it_is_taken_away(office, now, kind):
    person = an_id()
    add(office, BOSS, now, kind=kind)
    later = now + timedelta(hours=1)
    with db.reading(tenant=office.id) as session:
        found = rows.of_person(session, office.id, person, kind)

    do(office, members.block, found.id, kind=kind, actor=BOSS, now=now)
    do(office, members.unblock, found.id, kind=kind, actor=BOSS, now=later)

    assert membership(office.id, found.id).signed_out_at == now


@pytest.mark.product("OP-5")
def test_the_sessions_of_a_member_end_in_this_account(office, now):
    member = office.someone()

    do(office, members.end_sessions, member.membership, actor=BOSS, now=now)

    assert membership(office.id, member.membership).signed_out_at == now
    assert facts()[-1] == ("member.signed_out", office.id, member.person)


@pytest.mark.product("TEN-6")
def test_a_pending_member_accepts_once(office, now):
    person = an_id()
    added = add(office, BOSS, now, assignments=[Wanted(office.selling)])
    later = now + timedelta(hours=1)

    news = do(office, members.accept, person_id=person, now=later)
    again = do(office, members.accept, person_id=person, now=later)

    row = membership(office.id, added.membership_id)
    assert (news, again) == (True, False)
    assert (row.state, row.accepted_at) == (State.ACTIVE, later)
    assert trail(office.id) == ["member:added", "member:accepted"]


@pytest.mark.product("TEN-6")
@pytest.mark.security("15.2")
def test_of_fifty_acceptances_at_once_one_is_news(identity_app, office, now):
    person = an_id()
    add(office, BOSS, now)

    answers = all_at_once(
        identity_app, 50, lambda: do(office, members.accept, person_id=person, now=now)
    )

    assert (answers.count(False), answers.count(True)) == (49, 1)


@pytest.mark.product("TEN-6")
def test_nobody_accepts_what_was_not_given_or_is_blocked(office, now):
    blocked = office.someone(state="blocked", accepted_at=None)

    with pytest.raises(NotFound):
        do(office, members.accept, person_id=an_id(), now=now)
    with pytest.raises(Blocked):
        do(office, members.accept, person_id=blocked.person, now=now)
    with pytest.raises(Blocked):
        do(office, members.leave, person_id=blocked.person, now=now)


@pytest.mark.product("TEN-6")
@pytest.mark.parametrize("state", ["active", "pending"])
def test_a_member_leaves_or_does_not_take_the_place(office, now, state):
    member = office.someone(office.watching, state=state)

    do(office, members.leave, person_id=member.person, now=now)

    assert membership(office.id, member.membership) is None
    assert trail(office.id) == ["member:left"]
    with pytest.raises(NotFound):
        do(office, members.leave, person_id=member.person, now=now)


LAST = {
    "remove": lambda office, admin, now: do(
        office, members.remove, admin.membership, actor=admin.actor, now=now
    ),
    "block": lambda office, admin, now: do(
        office, members.block, admin.membership, actor=admin.actor, now=now
    ),
    "take the role": lambda office, admin, now: do(
        office,
        members.take,
        admin.membership,
        Place(office.account.admin_role, None),
        actor=admin.actor,
        now=now,
    ),
    "set other roles": lambda office, admin, now: do(
        office,
        members.set_assignments,
        admin.membership,
        [Wanted(office.account.admin_role, office.main)],
        actor=admin.actor,
        now=now,
    ),
    "give it an end": lambda office, admin, now: do(
        office,
        members.give,
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
    admins = [office.admin() for _ in range(50)]
    going = iter(admins)

    answers = all_at_once(identity_app, 50, lambda: LAST[how](office, next(going), now))

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(answer) for answer in refused] == [LastAdmin]
    with db.reading(tenant=office.id) as session:
        left = [acts_as_admin(session, office.id, admin.membership) for admin in admins]
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
    do(office, members.give, member.membership, wanted, actor=BOSS, now=now)

    assert flagged_at(office) is None


@pytest.mark.product("TEN-6")
def test_nothing_changes_in_a_suspended_account_but_that_one_can_leave(office, now):
    member = office.someone()
    making.change_account(office.id, status="suspended")

    with pytest.raises(AccountSuspended):
        add(office, BOSS, now)
    with pytest.raises(AccountSuspended):
        do(office, members.accept, person_id=member.person, now=now)
    do(office, members.leave, person_id=member.person, now=now)


@pytest.mark.security("12.4")
def test_nobody_gives_a_role_with_more_than_they_hold(office, now):
    seller, member = office.seller(), office.someone()

    given = do(
        office,
        members.give,
        member.membership,
        Wanted(office.watching),
        actor=seller.actor,
        now=now,
    )
    for role in (office.editing, office.account.admin_role):
        with pytest.raises(MayNotGrant):
            do(office, members.give, member.membership, Wanted(role), actor=seller.actor, now=now)
        with pytest.raises(MayNotGrant):
            add(office, seller.actor, now, assignments=[Wanted(role)])
        with pytest.raises(MayNotGrant):
            do(office, members.give, seller.membership, Wanted(role), actor=seller.actor, now=now)

    assert given
    assert person_of(EMAIL) is None


@pytest.mark.security("12.4")
def test_what_stays_need_not_be_ones_own_to_give(office, now):
    seller, editor = office.seller(), office.someone(office.editing)
    wanted = [Wanted(office.editing), Wanted(office.watching)]

    do(office, members.set_assignments, editor.membership, wanted, actor=seller.actor, now=now)
    with pytest.raises(MayNotGrant):
        do(
            office,
            members.set_assignments,
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

    do(office, members.set_assignments, both.membership, [], actor=seller.actor, now=now)
    left = holdings(office.id, both.membership)

    assert left == {(office.editing, office.second, None)}
    with pytest.raises(NotFound):
        do(office, members.set_assignments, both.membership, [], actor=seller.actor, now=now)


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
            members.give,
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
        do(office, members.give, member.membership, wanted, actor=actor, now=now)


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


@pytest.mark.security("15.2")
def test_a_version_that_is_no_more_is_refused(office, now):
    member = office.someone()
    uses: dict[Callable[..., object], tuple[object, ...]] = {
        members.block: (),
        members.unblock: (),
        members.remove: (),
        members.change: ({},),
        members.set_assignments: ([],),
    }

    for use, more in uses.items():
        with pytest.raises(VersionConflict):
            do(office, use, member.membership, *more, version=9, actor=BOSS, now=now)


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
        "set": lambda actor, one: do(
            office, members.set_assignments, one, [], actor=actor, now=now
        ),
        "give": lambda actor, one: do(office, members.give, one, wanted, actor=actor, now=now),
        "take": lambda actor, one: do(
            office, members.take, one, wanted.place, actor=actor, now=now
        ),
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


def test_the_operator_is_no_person_of_the_account(office):
    assert BOSS.power == OPERATOR
    assert BOSS.power_in(office.id) == OPERATOR
