"""Places that accounts gave the person without asking: good for nothing until they say yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idp.sessions.service import SignedIn
from kernel.errors import NotFound
from tenants.database import db
from tenants.members import service as members
from tenants.standing import places
from tenants.standing.service import ACTIVE, PENDING


@dataclass(frozen=True)
class WaitingPlace:
    """An account that has added the person as a user."""

    account: str
    name: str


def waiting(me: SignedIn) -> Sequence[WaitingPlace]:
    """What waits for an answer, by the account's name."""
    with db.reading(person=me.person_id) as session:
        found = places.of_person(session, me.person_id)
    return [
        WaitingPlace(place.account, place.name)
        for place in found
        if place.member_state == PENDING and place.status == ACTIVE
    ]


def accept(me: SignedIn, account: str, *, now: datetime) -> WaitingPlace:
    """Take the place; raises NotFound where none waits, and Refused where it can't be had any more."""
    place = _of(me, account)
    with db.transaction(tenant=account) as session:
        members.accept(session, account, person_id=me.person_id, now=now)
    return place


def decline(me: SignedIn, account: str, *, now: datetime) -> WaitingPlace:
    """Not to take it; raises as `accept` does. Nobody leaves an account that they are at work in."""
    place = _of(me, account)
    with db.transaction(tenant=account) as session:
        members.leave(session, account, person_id=me.person_id, now=now)
    return place


def _of(me: SignedIn, account: str) -> WaitingPlace:
    for place in waiting(me):
        if place.account == account:
            return place
    raise NotFound("nothing waits there")
