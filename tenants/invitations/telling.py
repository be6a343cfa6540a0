"""What is told of an invitation: in the account's audit trail, and as a fact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.audit import record
from tenants.events import InvitationEvent
from tenants.facts.service import Kind, note


def tell(
    session: Session,
    account: str,
    invitation_id: UUID,
    done: tuple[InvitationEvent, Kind],
    actor: str,
    now: datetime,
    given: Mapping[str, Any],
    *,
    personal: Mapping[str, Any] | None = None,
    person_id: UUID | None = None,
) -> None:
    """Write the row of the audit trail and the fact."""
    event, kind = done
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"invitation:{invitation_id}",
        about=f"invitation:{invitation_id}",
        now=now,
        details=given,
        personal=personal,
    )
    note(session, kind, account=account, person_id=person_id, now=now, invitation=invitation_id)
