"""Inviting, and what is done with an invitation, each in a transaction of its own."""

from kernel.pages import PageRequest
from tenants.database import db
from tenants.invitations import offers
from tenants.invitations import service as invitations
from tenants.members.service import Wanted
from tests.tenants import making

NOWAK = "anna.nowak@example.com"


def invited(office, inviter, now, **changes):
    wanted = {"email": NOWAK, "assignments": [Wanted(office.watching)]} | changes
    with db.transaction(tenant=office.id) as session:
        return invitations.invite(session, office.id, **wanted, actor=inviter.actor, now=now)


def link(office, invitation, now):
    """The token that the mail carries."""
    with db.transaction(tenant=office.id) as session:
        letter = offers.letter(session, office.id, invitation.id, now=now)
    assert letter is not None
    return letter[1]


def accept(office, token, person, now):
    with db.transaction(tenant=office.id) as session:
        return offers.accept(session, office.id, token, person_id=person, now=now)


def look(office, token, now):
    with db.reading(tenant=office.id) as session:
        return offers.look(session, office.id, token, now=now)


def act(office, deed, invitation, inviter, now, **more):
    with db.transaction(tenant=office.id) as session:
        return deed(session, office.id, invitation.id, actor=inviter.actor, now=now, **more)


def found(office, invitation, inviter):
    with db.reading(tenant=office.id) as session:
        return invitations.find(session, office.id, invitation.id, actor=inviter.actor)


def listed(office, inviter):
    with db.reading(tenant=office.id) as session:
        page = invitations.listed(session, office.id, actor=inviter.actor, asked=PageRequest())
    assert page.total == len(page.items)
    return list(page.items)


def inviting(office, name="Zapraszanie"):
    return making.a_role(office.id, name, rights=[invitations.MANAGE])
