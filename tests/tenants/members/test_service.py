"""Members and clients are added, changed, blocked and removed; what each of it leaves behind."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kernel.errors import NotFound, VersionConflict
from kernel.i18n.letters import in_order
from tenants.accounts.service import AccountSuspended
from tenants.database import db
from tenants.facts.models import Fact
from tenants.members import giving, rows
from tenants.members import service as members
from tenants.members.service import (
    AlreadyMember,
    Blocked,
    MemberKind,
    NotAnAddress,
    NotValid,
    State,
    Wanted,
)
from tenants.people import service as people
from tenants.roles.power import NOTHING
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, facts, holdings, membership, trail
from tests.tenants.members.doing import EMAIL, add, an_id, do, person_of, version_of

pytestmark = pytest.mark.usefixtures("identity_app")

CLIENT = MemberKind.CLIENT


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
    assert (row.given_name, row.family_name, row.sort_name) == ("Anna", "Żak", in_order("żak anna"))
    assert (row.email, row.version) == (EMAIL, 2)


def test_a_change_that_changes_nothing_leaves_no_trace(office, now):
    added = add(office, BOSS, now, given_name="Anna")

    do(office, members.change, added.membership_id, {"given_name": "Anna"}, actor=BOSS, now=now)

    assert version_of(office, added.membership_id) == 1
    assert trail(office.id) == ["member:added"]


@pytest.mark.security("15.2")
def test_of_fifty_changes_of_one_version_one_happens(identity_app, office, now):
    member = office.someone()
    wanted = [Wanted(office.watching)]

    answers = all_at_once(
        identity_app,
        50,
        lambda: do(
            office,
            giving.set_assignments,
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


@pytest.mark.product("TEN-6")
def test_nothing_changes_in_a_suspended_account_but_that_one_can_leave(office, now):
    member = office.someone()
    making.change_account(office.id, status="suspended")

    with pytest.raises(AccountSuspended):
        add(office, BOSS, now)
    with pytest.raises(AccountSuspended):
        do(office, members.accept, person_id=member.person, now=now)
    do(office, members.leave, person_id=member.person, now=now)


@pytest.mark.security("15.2")
def test_a_version_that_is_no_more_is_refused(office, now):
    member = office.someone()
    uses: dict[Callable[..., object], tuple[object, ...]] = {
        members.block: (),
        members.unblock: (),
        members.remove: (),
        members.change: ({},),
        giving.set_assignments: ([],),
    }

    for use, more in uses.items():
        with pytest.raises(VersionConflict):
            do(office, use, member.membership, *more, version=9, actor=BOSS, now=now)
