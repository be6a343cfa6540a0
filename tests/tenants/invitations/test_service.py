"""Invitations: for one address, within what the inviter holds, and only for as long (SECURITY 3.9)."""

from collections import Counter
from datetime import timedelta

import pytest

from kernel.errors import NotFound, VersionConflict
from kernel.pages import PageRequest
from tenants.database import db
from tenants.invitations import service as invitations
from tenants.invitations.service import (
    AlreadyInvited,
    Lapsed,
    NotOpen,
    NotYours,
    State,
)
from tenants.members.service import AlreadyMember, BeyondReach, NotAnAddress, NotValid, Wanted
from tenants.roles.power import MayNotGrant, NotPermitted
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import an_office as an_office
from tests.tenants.acting import facts, holdings, membership, trail

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]
DAY = timedelta(days=1)
NOWAK = "anna.nowak@example.com"


@pytest.fixture
def office():
    return an_office()


@pytest.fixture
def admin(office):
    return office.admin()


@pytest.fixture
def anna():
    return making.a_person(NOWAK)


def invited(office, inviter, now, **changes):
    wanted = {"email": NOWAK, "assignments": [Wanted(office.watching)]} | changes
    with db.transaction(tenant=office.id) as session:
        return invitations.invite(session, office.id, **wanted, actor=inviter.actor, now=now)


def link(office, invitation, now):
    """The token that the mail carries."""
    with db.transaction(tenant=office.id) as session:
        letter = invitations.letter(session, office.id, invitation.id, now=now)
    assert letter is not None
    return letter[1]


def accept(office, token, person, now):
    with db.transaction(tenant=office.id) as session:
        return invitations.accept(session, office.id, token, person_id=person, now=now)


def look(office, token, now):
    with db.reading(tenant=office.id) as session:
        return invitations.look(session, office.id, token, now=now)


def act(office, deed, invitation, inviter, now, **more):
    with db.transaction(tenant=office.id) as session:
        return deed(session, office.id, invitation.id, actor=inviter.actor, now=now, **more)


def found(office, invitation, inviter):
    with db.reading(tenant=office.id) as session:
        return invitations.find(session, office.id, invitation.id, actor=inviter.actor)


def test_whoever_has_the_address_takes_the_place_with_its_roles(office, admin, anna, now):
    invitation = invited(
        office,
        admin,
        now,
        assignments=[Wanted(office.watching), Wanted(office.editing, office.second)],
    )

    joined = accept(office, link(office, invitation, now), anna, now)

    row = membership(office.id, joined)
    assert (row.person_id, row.state, row.accepted_at) == (anna, "active", now)
    assert holdings(office.id, joined) == {
        (office.watching, None, None),
        (office.editing, office.second, None),
    }
    assert found(office, invitation, admin).state(now) is State.ACCEPTED


def test_the_link_says_what_it_offers_and_looking_spends_nothing(office, admin, anna, now):
    invitation = invited(
        office,
        admin,
        now,
        assignments=[Wanted(office.watching), Wanted(office.editing, office.second)],
    )
    token = link(office, invitation, now)

    offers = [look(office, token, now) for _ in range(3)]

    assert offers[0].account_name == "Zielony Dom"
    assert offers[0].roles == ("Podgląd", "Edycja (Budowa)")
    assert accept(office, token, anna, now)


def test_the_account_chooses_language_name_and_how_long(office, admin, now):
    invitation = invited(
        office,
        admin,
        now,
        given_name="Anna",
        family_name="Nowak",
        locale="en",
        life=timedelta(hours=2),
    )

    shown = found(office, invitation, admin)
    assert (shown.given_name, shown.family_name, shown.locale) == ("Anna", "Nowak", "en")
    assert shown.expires_at == now + timedelta(hours=2)


@pytest.mark.security("3.9")
def test_somebody_else_can_not_accept_it(office, admin, anna, now):
    token = link(office, invited(office, admin, now), now)

    with pytest.raises(NotYours):
        accept(office, token, making.a_person(), now)
    assert accept(office, token, anna, now)


@pytest.mark.security("3.9")
def test_it_is_accepted_once(office, admin, anna, now):
    token = link(office, invited(office, admin, now), now)
    accept(office, token, anna, now)

    with pytest.raises(NotOpen):
        accept(office, token, anna, now)


@pytest.mark.security("3.9")
def test_it_ends_at_the_second(office, admin, anna, now):
    token = link(office, invited(office, admin, now, life=DAY), now)

    with pytest.raises(NotOpen):
        accept(office, token, anna, now + DAY)
    assert look(office, token, now + DAY - timedelta(seconds=1))
    assert accept(office, token, anna, now + DAY - timedelta(seconds=1))


@pytest.mark.security("3.9")
def test_a_revoked_one_opens_nothing(office, admin, anna, now):
    invitation = invited(office, admin, now)
    token = link(office, invitation, now)

    act(office, invitations.revoke, invitation, admin, now)

    with pytest.raises(NotOpen):
        look(office, token, now)
    with pytest.raises(NotOpen):
        accept(office, token, anna, now)
    with pytest.raises(NotOpen):
        act(office, invitations.revoke, invitation, admin, now)
    assert found(office, invitation, admin).state(now) is State.REVOKED


@pytest.mark.security("3.9", "12.4")
def test_what_the_inviter_has_lost_meanwhile_they_no_longer_give(office, anna, now):
    inviter = office.someone(inviting(office), office.editing)
    token = link(office, invited(office, inviter, now, assignments=[Wanted(office.editing)]), now)
    making.unassign(office.id, inviter.membership)
    making.assign(office.id, inviter.membership, inviting(office, "again"))

    with pytest.raises(Lapsed):
        accept(office, token, anna, now)
    with db.reading(tenant=office.id) as session:
        assert invitations._sure(session, office.id, look(office, token, now).invitation.id)


@pytest.mark.security("3.9")
@pytest.mark.parametrize("gone", ["blocked", "removed"])
def test_with_the_inviter_the_invitation_goes(office, admin, anna, now, gone):
    token = link(office, invited(office, admin, now), now)
    if gone == "blocked":
        making.change_member(office.id, admin.membership, state="blocked")
    else:
        making.remove_member(office.id, admin.membership)

    with pytest.raises(Lapsed):
        accept(office, token, anna, now)


@pytest.mark.security("12.4")
def test_nobody_invites_to_more_than_they_hold(office, now):
    inviter = office.someone(inviting(office), office.watching)

    assert invited(office, inviter, now, assignments=[Wanted(office.watching)])
    for role in (office.editing, office.account.admin_role):
        with pytest.raises(MayNotGrant):
            invited(office, inviter, now, email="b@example.com", assignments=[Wanted(role)])


@pytest.mark.security("12.1")
def test_inviting_is_a_permission(office, now):
    with pytest.raises(NotPermitted):
        invited(office, office.seller(), now)


def test_who_has_power_over_one_company_invites_to_that_one(office, anna, now):
    inviter = office.someone((inviting(office), office.second), (office.watching, office.second))

    token = link(
        office,
        invited(office, inviter, now, assignments=[Wanted(office.watching, office.second)]),
        now,
    )
    assert accept(office, token, anna, now)
    for wanted in ([Wanted(office.watching)], [Wanted(office.watching, office.main)], []):
        with pytest.raises((MayNotGrant, BeyondReach)):
            invited(office, inviter, now, email="b@example.com", assignments=wanted)


def test_who_has_power_over_one_company_sees_the_invitations_to_that_one(office, admin, now):
    inviter = office.someone((inviting(office), office.second), (office.watching, office.second))
    elsewhere = invited(office, admin, now)
    here = invited(
        office,
        admin,
        now,
        email="b@example.com",
        assignments=[Wanted(office.watching, office.second)],
    )

    assert [one.id for one in listed(office, inviter)] == [here.id]
    assert {one.id for one in listed(office, admin)} == {here.id, elsewhere.id}
    with pytest.raises(NotFound):
        found(office, elsewhere, inviter)


@pytest.mark.security("12.4")
def test_who_has_power_over_one_company_takes_back_what_is_for_that_one_alone(office, admin, now):
    inviter = office.someone((inviting(office), office.second), (office.watching, office.second))
    there = Wanted(office.watching, office.second)
    further = invited(office, admin, now, assignments=[there, Wanted(office.watching)])
    here = invited(office, admin, now, email="b@example.com", assignments=[there])

    with pytest.raises(BeyondReach):
        act(office, invitations.revoke, further, inviter, now)
    act(office, invitations.revoke, here, inviter, now)

    assert found(office, further, admin).state(now) is State.OPEN
    assert found(office, here, admin).state(now) is State.REVOKED


def test_an_address_is_invited_once_at_a_time(office, admin, now):
    invited(office, admin, now)

    with pytest.raises(AlreadyInvited):
        invited(office, admin, now, email=f"  {NOWAK.upper()} ")


def test_after_its_end_it_stands_in_nobodys_way(office, admin, now):
    old = invited(office, admin, now, life=DAY)

    assert found(office, old, admin).state(now + DAY) is State.EXPIRED
    assert invited(office, admin, now + DAY)


@pytest.mark.security("15.2")
def test_of_fifty_who_invite_one_address_at_once_one_does(identity_app, office, admin, now):
    answers = all_at_once(identity_app, 50, lambda: invited(office, admin, now))

    assert Counter(type(each).__name__ for each in answers) == {
        "InvitationSummary": 1,
        "AlreadyInvited": 49,
    }


@pytest.mark.security("15.2", "3.9")
def test_of_fifty_acceptances_at_once_one_counts(identity_app, office, admin, anna, now):
    token = link(office, invited(office, admin, now), now)

    answers = all_at_once(identity_app, 50, lambda: accept(office, token, anna, now))

    assert sum(not isinstance(each, Exception) for each in answers) == 1
    assert {type(each) for each in answers if isinstance(each, Exception)} == {NotOpen}
    assert trail(office.id).count("member:added") == 1


def test_a_user_of_the_account_is_not_invited(office, admin, anna, now):
    making.a_member(office.id, anna)

    with pytest.raises(AlreadyMember):
        invited(office, admin, now)


@pytest.mark.security("3.9")
def test_sent_again_it_has_a_new_link_and_as_long_again(office, admin, anna, now):
    invitation = invited(office, admin, now, life=DAY)
    first = link(office, invitation, now)

    later = now + timedelta(hours=12)
    act(office, invitations.send_again, invitation, admin, later)
    second = link(office, invitation, later)

    with pytest.raises(NotOpen):
        look(office, first, later)
    assert look(office, second, now + 5 * DAY)
    assert found(office, invitation, admin).sent_at == later


def test_sent_again_it_stands_on_who_sent_it(office, admin, anna, now):
    invitation = invited(office, admin, now)
    other = office.admin()
    act(office, invitations.send_again, invitation, other, now)
    making.remove_member(office.id, admin.membership)

    assert accept(office, link(office, invitation, now), anna, now)


def test_an_answered_one_is_not_sent_again(office, admin, anna, now):
    invitation = invited(office, admin, now)
    accept(office, link(office, invitation, now), anna, now)

    with pytest.raises(NotOpen):
        act(office, invitations.send_again, invitation, admin, now)


def test_for_what_is_over_there_is_no_letter(office, admin, now):
    invitation = invited(office, admin, now)
    act(office, invitations.revoke, invitation, admin, now)

    with db.transaction(tenant=office.id) as session:
        assert invitations.letter(session, office.id, invitation.id, now=now) is None


def test_revoking_names_a_version(office, admin, now):
    invitation = invited(office, admin, now)

    with pytest.raises(VersionConflict):
        act(office, invitations.revoke, invitation, admin, now, version=7)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"email": "not an address"}, NotAnAddress),
        ({"life": timedelta(minutes=1)}, NotValid),
        ({"life": timedelta(days=31)}, NotValid),
        ({"locale": "xx-nonsense"}, NotValid),
        ({"given_name": "a\x00b"}, NotValid),
    ],
)
def test_what_can_not_be_is_refused(office, admin, now, changes, refusal):
    with pytest.raises(refusal):
        invited(office, admin, now, **changes)
    assert listed(office, admin) == []


def test_a_role_that_ended_meanwhile_is_not_given(office, admin, anna, now):
    invitation = invited(
        office,
        admin,
        now,
        assignments=[Wanted(office.watching, None, now + DAY), Wanted(office.editing)],
    )

    joined = accept(office, link(office, invitation, now), anna, now + 2 * DAY)

    assert {role for role, *_ in holdings(office.id, joined)} == {office.editing}


@pytest.mark.security("13.6")
def test_the_link_of_one_account_opens_nothing_in_another(office, admin, anna, now):
    token = link(office, invited(office, admin, now), now)
    other = making.an_account("Biuro Lis")

    with db.reading(tenant=other.id) as session, pytest.raises(NotOpen):
        invitations.look(session, other.id, token, now=now)


@pytest.mark.security("17.1")
def test_what_is_done_is_in_the_history_without_the_address_and_told(office, admin, anna, now):
    invitation = invited(office, admin, now)
    act(office, invitations.send_again, invitation, admin, now)
    accept(office, link(office, invitation, now), anna, now)

    assert trail(office.id) == [
        "invitation:created",
        "invitation:sent-again",
        "member:added",
        "invitation:accepted",
    ]
    assert [kind for kind, *_ in facts()] == [
        "invitation.created",
        "invitation.created",
        "member.added",
        "invitation.accepted",
    ]


def listed(office, inviter):
    with db.reading(tenant=office.id) as session:
        page = invitations.listed(session, office.id, actor=inviter.actor, asked=PageRequest())
    assert page.total == len(page.items)
    return list(page.items)


def inviting(office, name="Zapraszanie"):
    return making.a_role(office.id, name, rights=[invitations.MANAGE])


@pytest.mark.security("3.9")
def test_whoever_has_the_mail_declines_with_an_id_or_without(office, admin, anna, now):
    invitation = invited(office, admin, now)
    token = link(office, invitation, now)
    with db.transaction(tenant=office.id) as session:
        invitations.decline(session, office.id, token, person_id=None, now=now)

    assert found(office, invitation, admin).state(now) is State.DECLINED
    assert trail(office.id)[-1] == "invitation:declined"
    assert ("invitation.declined", office.id, None) in facts()
    with pytest.raises(NotOpen):
        accept(office, token, anna, now)
    assert invited(office, admin, now).id != invitation.id


@pytest.mark.security("3.9")
def test_what_was_answered_or_is_over_is_declined_no_more(office, admin, anna, now):
    invitation = invited(office, admin, now)
    token = link(office, invitation, now)
    later = invitation.expires_at
    with pytest.raises(NotOpen), db.transaction(tenant=office.id) as session:
        invitations.decline(session, office.id, token, person_id=anna, now=later)
    accept(office, token, anna, now)
    with pytest.raises(NotOpen), db.transaction(tenant=office.id) as session:
        invitations.decline(session, office.id, token, person_id=anna, now=now)
