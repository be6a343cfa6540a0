"""Starting, finding and ending flows. Inner functions: they take the caller's session.

`lock` gives the mapped row, to be changed at will. The steps that every sign-in takes are hot:
`load`, `hold`, `change`, `store` and `finish` are one prebuilt statement each.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.orm import Session

from idp.flows.models import LONGEST_RETURN, Flow
from idp.flows.state import COLUMNS, AnyFlow, FlowState
from kernel.crypto import constant_time_equal
from kernel.database import HotStatement, Reads, Writes
from kernel.errors import Refused
from kernel.ids import new_id

__all__ = [
    "LIFETIME",
    "AnyFlow",
    "Flow",
    "FlowExpired",
    "FlowState",
    "change",
    "draft",
    "finish",
    "hold",
    "load",
    "lock",
    "prove_nothing",
    "restart",
    "start",
    "store",
]

LIFETIME = timedelta(minutes=15)

Found = TypeVar("Found", Flow, FlowState)

_TABLE = cast(Table, Flow.__table__)
_BY_ID = select(*(_TABLE.c[name] for name in COLUMNS)).where(_TABLE.c.id == bindparam("flow_id"))
_LOAD = HotStatement(_BY_ID)
_HOLD = HotStatement(_BY_ID.with_for_update())
_STORE = HotStatement.insert_into(_TABLE, *COLUMNS)
_CHANGE = update(_TABLE).where(_TABLE.c.id == bindparam("flow_id"))
_CHANGING: dict[frozenset[str], HotStatement] = {}
_FINISH = HotStatement(
    _CHANGE.where(_TABLE.c.finished_at.is_(None))
    .values(finished_at=bindparam("now"))
    .returning(_TABLE.c.id)
)


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


def draft(*, browser_hash: bytes, request: dict[str, Any], now: datetime) -> FlowState:
    """A new flow towards an application, before it is stored."""
    return FlowState(
        id=new_id(),
        browser_hash=browser_hash,
        request=request,
        created_at=now,
        expires_at=now + LIFETIME,
    )


def store(at: Writes, flow: FlowState) -> None:
    """Write a drafted flow down."""
    _STORE.rows(at, **vars(flow))


def _within_reach(return_to: str | None) -> str | None:
    # Who asks for a page with pages of parameters gets the page.
    if return_to is None or len(return_to) <= LONGEST_RETURN:
        return return_to
    path = return_to.partition("?")[0]
    return path if len(path) <= LONGEST_RETURN else "/"


def load(at: Reads, flow_id: UUID | str | None, browser_hash: bytes, now: datetime) -> FlowState:
    """The flow, if it is alive and this browser's; raises FlowExpired."""
    return _checked(_state(_LOAD.first(at, flow_id=_as_id(flow_id))), browser_hash, now)


def hold(at: Writes, flow_id: UUID | str | None, browser_hash: bytes, now: datetime) -> FlowState:
    """Like `load`, and nobody else changes the flow until this transaction ends."""
    return _checked(_state(_HOLD.first(at, flow_id=_as_id(flow_id))), browser_hash, now)


def _state(row: Any | None) -> FlowState | None:
    return FlowState(**row._asdict()) if row is not None else None


def change(at: Writes, flow: FlowState, **values: Any) -> FlowState:
    """Write what is new in these columns of a flow that is held; where nothing is, write nothing."""
    new = {name: value for name, value in values.items() if getattr(flow, name) != value}
    if not new:
        return flow
    names = frozenset(new)
    changing = _CHANGING.get(names)
    if changing is None:
        changing = _CHANGING[names] = HotStatement(
            _CHANGE.values({name: bindparam(name, type_=_TABLE.c[name].type) for name in names})
        )
    changing.rows(at, flow_id=flow.id, **new)
    return replace(flow, **new)


def lock(session: Session, flow_id: UUID | str | None, browser_hash: bytes, now: datetime) -> Flow:
    """Like `hold`, as a row whose changes are written at the end of this transaction."""
    found = session.scalars(select(Flow).where(Flow.id == _as_id(flow_id)).with_for_update())
    return _checked(found.one_or_none(), browser_hash, now)


def finish(at: Writes, flow_id: UUID, *, now: datetime) -> bool:
    """End a flow that reached its goal; False when somebody ended it before."""
    return _FINISH.first(at, flow_id=flow_id, now=now) is not None


def prove_nothing(session: Session, *, person_id: UUID, now: datetime) -> None:
    """Whatever this person proved in flows that are under way counts no more."""
    session.execute(
        update(Flow)
        .where(
            Flow.expires_at > now,
            Flow.finished_at.is_(None),
            or_(Flow.person_id == person_id, Flow.new_password_of == person_id),
        )
        .values(
            person_id=None,
            first_factor_at=None,
            first_factor_amr=None,
            new_password_of=None,
            new_password_asked_at=None,
        )
    )


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


def _checked(flow: Found | None, browser_hash: bytes, now: datetime) -> Found:
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
