"""What is told of a change to a membership: in the account's audit trail, and as a fact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from tenants.audit import Event, record
from tenants.events import ClientAccountEvent, MemberEvent
from tenants.facts.service import Kind, note
from tenants.members.assignments import Difference
from tenants.members.rows import MemberKind, Row

_LONGEST_LIST = 100
"""As long as a list in one row of the audit trail can be."""


@dataclass(frozen=True)
class Deed:
    """One thing that can be done to a membership, as the audit trail and the facts call it."""

    member: tuple[Event, Kind]
    client: tuple[Event, Kind] | None = None


ADDED = Deed((MemberEvent.ADDED, Kind.MEMBER_ADDED), (ClientAccountEvent.ADDED, Kind.CLIENT_ADDED))
CHANGED = Deed(
    (MemberEvent.CHANGED, Kind.MEMBER_CHANGED), (ClientAccountEvent.CHANGED, Kind.CLIENT_CHANGED)
)
BLOCKED = Deed(
    (MemberEvent.BLOCKED, Kind.MEMBER_BLOCKED), (ClientAccountEvent.BLOCKED, Kind.CLIENT_BLOCKED)
)
UNBLOCKED = Deed(
    (MemberEvent.UNBLOCKED, Kind.MEMBER_UNBLOCKED),
    (ClientAccountEvent.UNBLOCKED, Kind.CLIENT_UNBLOCKED),
)
REMOVED = Deed(
    (MemberEvent.REMOVED, Kind.MEMBER_REMOVED), (ClientAccountEvent.REMOVED, Kind.CLIENT_REMOVED)
)
SIGNED_OUT = Deed(
    (MemberEvent.SIGNED_OUT, Kind.MEMBER_SIGNED_OUT),
    (ClientAccountEvent.SIGNED_OUT, Kind.MEMBER_SIGNED_OUT),
)
INFORMED = Deed(
    (MemberEvent.INFORMED, Kind.MEMBER_INFORMED),
    (ClientAccountEvent.INFORMED, Kind.CLIENT_INFORMED),
)
ACCEPTED = Deed((MemberEvent.ACCEPTED, Kind.MEMBER_ACCEPTED))
LEFT = Deed((MemberEvent.LEFT, Kind.MEMBER_LEFT))
ROLES_CHANGED = Deed((MemberEvent.ROLES_CHANGED, Kind.MEMBER_ROLES_CHANGED))


def words(change: Difference) -> dict[str, list[dict[str, Any]]]:
    """A change of roles as the audit trail and the facts tell it."""
    parts = {"given": change.given, "prolonged": change.prolonged, "taken": change.taken}
    return {
        what: [
            {"role": one.role_id, "company": one.company, "expires_at": one.expires_at}
            for one in places
        ]
        for what, places in parts.items()
        if places
    }


def tell(
    session: Session,
    deed: Deed,
    membership: Row,
    actor: str,
    now: datetime,
    **said: Any,
) -> None:
    """Write the row of the audit trail, or as many as it takes, and the fact."""
    is_client = membership.kind is MemberKind.CLIENT and deed.client is not None
    event, kind = deed.client if is_client and deed.client else deed.member
    for part in _parts(said):
        record(
            session,
            account=membership.account,
            event=event,
            actor=actor,
            subject=f"member:{membership.id}",
            now=now,
            details={"person": membership.person_id, **part},
        )
    note(
        session,
        kind,
        account=membership.account,
        person_id=membership.person_id,
        now=now,
        membership=membership.id,
        **said,
    )


def _parts(said: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """What is said, in as many rows of the audit trail as its lists need: nothing of them is cut off."""
    lists = {what: each for what, each in said.items() if isinstance(each, list)}
    short = {what: each for what, each in said.items() if what not in lists}
    most = max(map(len, lists.values()), default=0)
    for start in range(0, max(most, 1), _LONGEST_LIST):
        pieces = {what: each[start : start + _LONGEST_LIST] for what, each in lists.items()}
        yield {**short, **{what: piece for what, piece in pieces.items() if piece}}
