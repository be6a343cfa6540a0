"""Starting, finding and ending flows. Inner functions: they take the caller's session."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.flows.models import LONGEST_RETURN, Flow
from kernel.crypto import constant_time_equal
from kernel.errors import Refused
from kernel.ids import new_id

__all__ = ["LIFETIME", "Flow", "FlowExpired", "finish", "load", "lock", "restart", "start"]

LIFETIME = timedelta(minutes=15)


class FlowExpired(Refused):
    """The flow is over, unknown, or another browser's. `successor` says what it was about.

    Where the same browser comes back to its own old flow, the page can go on where it stopped:
    `request` and `return_to` are then those of the old flow.
    """

    reason = "flow_expired"

    def __init__(
        self,
        detail: str = "",
        *,
        request: dict[str, Any] | None = None,
        return_to: str | None = None,
        email: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.request = request
        self.return_to = return_to
        self.email = email


def start(
    session: Session,
    *,
    browser_hash: bytes,
    now: datetime,
    request: dict[str, Any] | None = None,
    return_to: str | None = None,
    email: str | None = None,
    password_first: bool = False,
) -> Flow:
    """A new flow for this browser, towards an application or a page of ours."""
    flow = Flow(
        id=new_id(),
        browser_hash=browser_hash,
        request=request,
        return_to=_within_reach(return_to),
        email=email,
        second_factor_failures=0,
        password_first=password_first,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(flow)
    session.flush()
    return flow


def _within_reach(return_to: str | None) -> str | None:
    # Who asks for a page with pages of parameters gets the page.
    if return_to is None or len(return_to) <= LONGEST_RETURN:
        return return_to
    path = return_to.partition("?")[0]
    return path if len(path) <= LONGEST_RETURN else "/"


def load(session: Session, flow_id: UUID | str | None, browser_hash: bytes, now: datetime) -> Flow:
    """The flow, if it is alive and this browser's; raises FlowExpired."""
    return _checked(session, flow_id, browser_hash, now, for_update=False)


def lock(session: Session, flow_id: UUID | str | None, browser_hash: bytes, now: datetime) -> Flow:
    """Like `load`, and nobody else changes the flow until this transaction ends."""
    return _checked(session, flow_id, browser_hash, now, for_update=True)


def finish(session: Session, flow_id: UUID, *, now: datetime) -> bool:
    """End a flow that reached its goal; False when somebody ended it before."""
    ended = session.execute(
        update(Flow)
        .where(Flow.id == flow_id, Flow.finished_at.is_(None))
        .values(finished_at=now)
        .returning(Flow.id)
    )
    return ended.first() is not None


def restart(session: Session, flow: Flow, *, now: datetime) -> Flow:
    """End this flow and begin another one towards the same goal, with nothing proved."""
    flow.finished_at = now
    return start(
        session,
        browser_hash=flow.browser_hash,
        request=flow.request,
        return_to=flow.return_to,
        email=flow.email,
        password_first=True,
        now=now,
    )


def _checked(
    session: Session,
    flow_id: UUID | str | None,
    browser_hash: bytes,
    now: datetime,
    *,
    for_update: bool,
) -> Flow:
    statement = select(Flow).where(Flow.id == _as_id(flow_id))
    if for_update:
        statement = statement.with_for_update()
    flow = session.scalars(statement).one_or_none()
    if flow is None or not constant_time_equal(flow.browser_hash, browser_hash):
        # Somebody else's flow is told from a missing one by nothing.
        raise FlowExpired("unknown here")
    if flow.is_over(now):
        raise FlowExpired("over", request=flow.request, return_to=flow.return_to, email=flow.email)
    return flow


def _as_id(text: UUID | str | None) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(text or "")
    except ValueError as malformed:
        raise FlowExpired("no identifier") from malformed
