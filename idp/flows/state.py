"""A flow as it was read: what most pages need of it, and nothing to change it by."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.flows.models import Flow


@dataclass(frozen=True, kw_only=True)
class FlowState:
    """The columns of a flow; the table says what each means."""

    id: UUID
    browser_hash: bytes
    request: dict[str, Any] | None = None
    return_to: str | None = None
    email: str | None = None
    person_id: UUID | None = None
    first_factor_at: datetime | None = None
    first_factor_amr: str | None = None
    new_password_of: UUID | None = None
    new_password_asked_at: datetime | None = None
    second_factor_failures: int = 0
    mailbox_proven_at: datetime | None = None
    mailbox_proven_for: str | None = None
    mailbox_email: str | None = None
    password_first: bool = False
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.finished_at is not None or self.expires_at <= now


AnyFlow = Flow | FlowState
"""For who only looks: the row of `service.lock` does as well."""

COLUMNS = tuple(each.name for each in fields(FlowState))
