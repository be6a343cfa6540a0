"""Invitations: for one address, within what the inviter holds, and only for as long (SECURITY 3.9)."""

from collections import Counter
from datetime import timedelta

import pytest

from kernel.errors import NotFound, VersionConflict
from kernel.limits import Window
from tenants.invitations import service as invitations
from tenants.invitations.rows import NotOpen, State
from tenants.invitations.service import AlreadyInvited
from tenants.members.authority import BeyondReach
from tenants.members.service import AlreadyMember, NotAnAddress, NotValid, Wanted
from tenants.roles.power import MayNotGrant, NotPermitted
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import an_office, facts, trail
from tests.tenants.invitations.inviting import (
    NOWAK,
    accept,
    act,
    found,
    invited,
    inviting,
    link,
    listed,
    look,
)

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]
DAY = timedelta(days=1)


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


@pytest.mark.security("3.9")
def test_a_link_whose_time_was_over_opens_nothing_when_the_invitation_is_sent_again(
    office, admin, now
):
    invitation = invited(office, admin, now, life=DAY)
    first = link(office, invitation, now)

    act(office, invitations.send_again, invitation, admin, now + DAY)

    with pytest.raises(NotOpen):
        look(office, first, now + DAY)


@pytest.mark.security("3.11")
def test_past_the_cap_nothing_is_sent_and_nothing_changes(office, admin, now):
    invitation = invited(office, admin, now)
    for _ in range(invitations.TO_ADDRESS.limit - 1):
        act(office, invitations.send_again, invitation, admin, now)
    before, told = found(office, invitation, admin), facts()
    token = link(office, invitation, now)

    with pytest.raises(invitations.TooManyInvitations) as refused:
        act(office, invitations.send_again, invitation, admin, now + timedelta(minutes=1))

    assert refused.value.retry_after == 59 * 60
    assert found(office, invitation, admin) == before
    assert facts() == told
    assert look(office, token, now)
    later = now + timedelta(hours=1)
    assert act(office, invitations.send_again, invitation, admin, later).sent_at == later


@pytest.mark.security("3.11")
def test_to_revoke_and_invite_anew_is_no_way_around_the_cap(office, admin, now):
    for _ in range(invitations.TO_ADDRESS.limit):
        act(office, invitations.revoke, invited(office, admin, now), admin, now)

    with pytest.raises(invitations.TooManyInvitations):
        invited(office, admin, now)


@pytest.mark.security("3.11", "13.6")
def test_what_others_send_to_an_address_says_nothing(office, admin, now):
    other = an_office("Inny Dom")
    boss = other.admin()
    for _ in range(invitations.TO_ADDRESS.limit):
        act(other, invitations.revoke, invited(other, boss, now, assignments=()), boss, now)

    assert invited(office, admin, now)


@pytest.mark.security("3.11", "18.6")
def test_an_account_invites_so_many_an_hour_and_others_are_not_held_up(
    office, admin, now, monkeypatch
):
    few = Window("few-invitations", limit=2, every=timedelta(hours=1))
    monkeypatch.setattr(invitations, "OF_ACCOUNT", few)
    other = an_office("Inny Dom")
    for number in range(2):
        invited(office, admin, now, email=f"p{number}@example.com")

    with pytest.raises(invitations.TooManyInvitations):
        invited(office, admin, now, email="p2@example.com")
    assert len(listed(office, admin)) == 2
    assert invited(other, other.admin(), now, assignments=())


def test_an_answered_one_is_not_sent_again(office, admin, anna, now):
    invitation = invited(office, admin, now)
    accept(office, link(office, invitation, now), anna, now)

    with pytest.raises(NotOpen):
        act(office, invitations.send_again, invitation, admin, now)


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
