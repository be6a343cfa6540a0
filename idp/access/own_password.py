"""After a temporary password: setting one's own is all that it opens, and it is forced.

The flow knows that the temporary password was right. There is no session before the own one is set.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.access import service
from idp.access.activation import enter
from idp.access.service import HasOwnAccess, How
from idp.credentials import password, temporary_password
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse_to
from idp.credentials.password import Problem
from idp.flows import service as flows
from idp.flows.service import AnyFlow, Flow
from idp.protocol import acr
from idp.sessions.browser import Browser
from idp.sign_in.completion import Cookies
from idp.sign_in.destination import application_of
from kernel.errors import NotFound, Refused
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary


class NothingToSet(Refused):
    """No temporary password was typed in this flow, or it isn't the person's password any more."""

    reason = "out_of_order"


class Over(Refused):
    """It was the right temporary password, but its time is over."""

    reason = "temporary_password_over"


@dataclass(frozen=True)
class Question:
    """For whom a password is to be set, and whether it is too late for that."""

    email: str
    is_over: bool


@dataclass(frozen=True)
class _Proved:
    person: PersonSummary
    hash: str
    until: datetime


def ask(flow_id: str | None, *, browser: Browser, now: datetime) -> Question:
    """What the page is about; raises NothingToSet, FlowExpired."""
    with db.reading() as session:
        proved = _proved(session, flows.load(session, flow_id, browser.id_hash, now))
    return Question(proved.person.email, is_over=proved.until <= now)


def choose(
    flow_id: str | None, new_password: str, *, browser: Browser, now: datetime
) -> Cookies | Problem:
    """Set the person's own password and sign them in.

    Raises NothingToSet, Over, FlowExpired, Locked, Overloaded.
    """
    with db.reading() as session:
        proved = _proved(session, flows.load(session, flow_id, browser.id_hash, now))
    if proved.until <= now:
        raise Over("set too late")
    person = proved.person
    problem = why_refuse_to(person, new_password)
    if problem is not None:
        return problem
    whole = password.normalised(new_password)
    if hashing().verify(proved.hash, whole).matches:
        return Problem.TEMPORARY
    own = hashing().hash(whole)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        proved = _proved(session, flow)
        if not temporary_password.replace(
            session, person_id=person.id, hash_=proved.hash, own=own, now=now
        ):
            raise NothingToSet("another request was faster, or it is over by now")
        _note_proofs(flow, proved.person, now)
        return enter(
            session,
            proved.person,
            how=How.TEMPORARY_PASSWORD,
            application=application_of(flow),
            browser=browser,
            now=now,
        )


def send_again(flow_id: str | None, *, browser: Browser, now: datetime) -> None:
    """Mail a fresh temporary password to who typed one that is over; raises as `ask` does."""
    with db.reading() as session:
        person = _proved(session, flows.load(session, flow_id, browser.id_hash, now)).person
    forget(flow_id, browser=browser, now=now)
    try:
        service.send_again(person.id, by=str(person.id), now=now)
    except (HasOwnAccess, NotFound):
        # Meanwhile there is a better way in, or none; the mailbox knows which.
        return


def forget(flow_id: str | None, *, browser: Browser, now: datetime) -> None:
    """The temporary password that was typed in this flow counts for nothing any more."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        flow.new_password_of = flow.new_password_asked_at = None


def _proved(session: Session, flow: AnyFlow) -> _Proved:
    if flow.new_password_of is None or flow.new_password_asked_at is None:
        raise NothingToSet("no temporary password in this flow")
    person = people.find(session, flow.new_password_of)
    found = temporary_password.find(
        session, person_id=flow.new_password_of, typed_at=flow.new_password_asked_at
    )
    if person is None or not person.is_active or found is None:
        raise NothingToSet("superseded, or the person has a password, is blocked or gone")
    return _Proved(person, *found)


def _note_proofs(flow: Flow, person: PersonSummary, now: datetime) -> None:
    flow.new_password_of = flow.new_password_asked_at = None
    flow.person_id, flow.first_factor_at, flow.first_factor_amr = person.id, now, acr.PASSWORD
    # The password came by mail: a code by mail would be the same proof twice.
    flow.email = flow.mailbox_email = person.email
    flow.mailbox_proven_at, flow.mailbox_proven_for = now, None
