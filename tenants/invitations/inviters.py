"""What somebody who invited may do now: it is looked at again when the invitation is accepted (3.9)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.api_keys import service as api_keys
from tenants.roles.power import NOTHING, OPERATOR, Actor, Power, narrowed, power_of
from tenants.standing import service as standings

_OPERATOR = "operator"


def today(session: Session, account: str, inviter: str, *, now: datetime) -> Actor:
    """Who invited, with the power that they have now: none, if they are gone."""
    return Actor(inviter, _power(session, account, inviter, now))


def _power(session: Session, account: str, inviter: str, now: datetime) -> Power:
    kind, _, id_ = inviter.partition(":")
    match kind:
        case "operator":
            return OPERATOR if inviter == _OPERATOR else NOTHING
        case "person":
            return _of_person(session, account, UUID(id_), now)
        case "key":
            holder = api_keys.holder_of(session, account, UUID(id_), now=now)
            if holder is None:
                return NOTHING
            return narrowed(_of_person(session, account, holder.owner_id, now), holder.rights)
        case _:
            return NOTHING


def _of_person(session: Session, account: str, person_id: UUID, now: datetime) -> Power:
    return power_of(
        standings.of(session, account=account, company=None, person_id=person_id, now=now)
    )
