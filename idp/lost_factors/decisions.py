"""The operator's side: what is asked, and what becomes of it.

Approving needs a proof that somebody saw, in words, and the name of who saw it; nothing is removed
by it. The waiting time begins, and the owner is told how to stop it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import lost_factors, passkeys, totp
from idp.credentials.lost_factors import LONGEST_NOTE, Request
from idp.events import IdpEvent
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from kernel.errors import NotFound, Refused
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.address import NotAnAddress, canonical_email
from tenants.people.service import PersonSummary

LONGEST_NAME = 200
_MOST = 200


class AlreadyDecided(Refused):
    """Somebody decided it before, or it is over."""

    status = 409
    reason = "already_decided"


class Incomplete(Refused):
    """A decision without its proof, its reason or its author."""

    status = 422
    reason = "incomplete"


@dataclass(frozen=True)
class Case:
    """A request with what is known of the person."""

    request: Request
    person: PersonSummary
    has_authenticator: bool
    passkeys: int


def cases(*, now: datetime, also_ended: bool = False) -> list[Case]:
    """What waits for the operator, or everything that ever did, newest first."""
    with db.reading() as session:
        return _cases(
            session, lost_factors.listed(session, now=now, also_ended=also_ended, limit=_MOST)
        )


def case(request_id: UUID) -> Case:
    """One of them; raises NotFound."""
    with db.reading() as session:
        return _case(session, _request(session, request_id))


def approve(request_id: UUID, *, proof: str, by: str, now: datetime) -> Case:
    """Start the waiting time; raises NotFound, AlreadyDecided, Incomplete."""
    settings = current_settings()
    proof, by = _said(proof, "what proof was seen", LONGEST_NOTE), _named(by)
    ready_at = now + timedelta(hours=settings.lost_factors_waiting_hours)
    expires_at = ready_at + timedelta(days=settings.lost_factors_days)
    with db.transaction() as session:
        found = _case(session, _request(session, request_id))
        _refuse_self(found.person, by)
        token = lost_factors.approve(
            session,
            request_id,
            by=by,
            proof=proof,
            ready_at=ready_at,
            expires_at=expires_at,
            now=now,
        )
        if token is None:
            raise AlreadyDecided("this request was decided before, or is over")
        _note(
            session,
            IdpEvent.LOST_FACTORS_APPROVED,
            found,
            by=by,
            words={"proof": proof},
            ready_at=ready_at,
            now=now,
        )
        mails.send(
            session,
            "lost_factors/approved",
            to=_mailbox_of(found.person),
            person_id=found.person.id,
            context={
                "stop_token": token,
                "ready_at": ready_at.isoformat(),
                "expires_at": expires_at.isoformat(),
            },
            now=now,
        )
        return _case(session, _request(session, request_id))


def refuse(request_id: UUID, *, reason: str, by: str, now: datetime) -> Case:
    """End a request, also while it waits; raises NotFound, AlreadyDecided, Incomplete."""
    reason, by = _said(reason, "a reason, which the person reads", LONGEST_NOTE), _named(by)
    with db.transaction() as session:
        found = _case(session, _request(session, request_id))
        _refuse_self(found.person, by)
        if not lost_factors.refuse(session, request_id, by=by, reason=reason, now=now):
            raise AlreadyDecided("this request is over")
        _note(
            session, IdpEvent.LOST_FACTORS_REFUSED, found, by=by, words={"reason": reason}, now=now
        )
        mails.send(
            session,
            "lost_factors/refused",
            to=_mailbox_of(found.person),
            person_id=found.person.id,
            context={"reason": reason},
            now=now,
        )
        return _case(session, _request(session, request_id))


def _request(session: Session, request_id: UUID) -> Request:
    found = lost_factors.find(session, request_id)
    if found is None:
        raise NotFound(f"no request {request_id}")
    return found


def _case(session: Session, request: Request) -> Case:
    found = _cases(session, [request])
    if not found:
        raise NotFound(f"nobody to request {request.id}")
    return found[0]


def _cases(session: Session, requests: Sequence[Request]) -> list[Case]:
    """Each with its person, in three statements; left out where the person is gone."""
    asking = {request.person_id for request in requests}
    known = people.find_all(session, asking)
    with_app = totp.enrolled_among(session, asking)
    counts = passkeys.counts(session, person_ids=asking)
    return [
        Case(
            request=request,
            person=known[request.person_id],
            has_authenticator=request.person_id in with_app,
            passkeys=counts.get(request.person_id, 0),
        )
        for request in requests
        if request.person_id in known
    ]


def _said(text: str, what: str, longest: int) -> str:
    said = text.strip()
    if not said:
        raise Incomplete(f"say {what}")
    if len(said) > longest:
        raise Incomplete(f"at most {longest} characters for {what}")
    return said


def _named(by: str) -> str:
    return _said(by, "who decides", LONGEST_NAME)


def _refuse_self(person: PersonSummary, by: str) -> None:
    """A second person decides, never the one who asks."""
    try:
        if canonical_email(by).key == person.email_key:
            raise Incomplete("nobody decides about their own factors")
    except NotAnAddress:
        return


def _mailbox_of(person: PersonSummary) -> Recipient:
    return Recipient.of(person, otherwise=current_settings().default_locale)


def _note(
    session: Session,
    event: IdpEvent,
    found: Case,
    *,
    by: str,
    words: dict[str, str],
    now: datetime,
    ready_at: datetime | None = None,
) -> None:
    """The names and the words are about people, and can be erased; that it happened can't."""
    ledger.append(
        session,
        chain=person_chain(found.person.id),
        event=event,
        actor="operator",
        subject=str(found.person.id),
        result="success",
        at=now,
        details={
            "request": str(found.request.id),
            **({"ready_at": ready_at.isoformat()} if ready_at is not None else {}),
        },
        personal={"by": by, **words},
        about=str(found.person.id),
    )
