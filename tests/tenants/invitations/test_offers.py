"""What is offered is taken up once, by whoever has the address, while the inviter could still give it."""

from datetime import timedelta

import pytest

from tenants.database import db
from tenants.invitations import offers, rows
from tenants.invitations import service as invitations
from tenants.invitations.offers import Lapsed, NotYours
from tenants.invitations.rows import NotOpen, State
from tenants.members.service import Wanted
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import facts, holdings, membership, trail
from tests.tenants.invitations.inviting import accept, act, found, invited, inviting, link, look

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]
DAY = timedelta(days=1)


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
        assert rows.sure(session, office.id, look(office, token, now).invitation.id)


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


@pytest.mark.security("15.2", "3.9")
def test_of_fifty_acceptances_at_once_one_counts(identity_app, office, admin, anna, now):
    token = link(office, invited(office, admin, now), now)

    answers = all_at_once(identity_app, 50, lambda: accept(office, token, anna, now))

    assert sum(not isinstance(each, Exception) for each in answers) == 1
    assert {type(each) for each in answers if isinstance(each, Exception)} == {NotOpen}
    assert trail(office.id).count("member:added") == 1


def test_sent_again_it_stands_on_who_sent_it(office, admin, anna, now):
    invitation = invited(office, admin, now)
    other = office.admin()
    act(office, invitations.send_again, invitation, other, now)
    making.remove_member(office.id, admin.membership)

    assert accept(office, link(office, invitation, now), anna, now)


def test_for_what_is_over_there_is_no_letter(office, admin, now):
    invitation = invited(office, admin, now)
    act(office, invitations.revoke, invitation, admin, now)

    with db.transaction(tenant=office.id) as session:
        assert offers.letter(session, office.id, invitation.id, now=now) is None


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
        offers.look(session, other.id, token, now=now)


@pytest.mark.security("3.9")
def test_whoever_has_the_mail_declines_with_an_id_or_without(office, admin, anna, now):
    invitation = invited(office, admin, now)
    token = link(office, invitation, now)
    with db.transaction(tenant=office.id) as session:
        offers.decline(session, office.id, token, person_id=None, now=now)

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
        offers.decline(session, office.id, token, person_id=anna, now=later)
    accept(office, token, anna, now)
    with pytest.raises(NotOpen), db.transaction(tenant=office.id) as session:
        offers.decline(session, office.id, token, person_id=anna, now=now)
