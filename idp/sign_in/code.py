"""The second factor: a code from the authenticator app, from a mail, or from the recovery sheet.

It follows the password in the same flow, or comes on top of a living session (stepping up).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import email_code, password, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import Flow
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sign_in import throttle
from idp.sign_in.completion import complete
from idp.sign_in.mailed_code import send_code
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong, count_outcome
from kernel.errors import Refused
from kernel.ledger import Result
from kernel.limits import Refusal
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary

TRIES_IN_FLOW = 5


class NothingToProve(Refused):
    """Neither a password in this flow nor a session: the page is out of order."""

    reason = "out_of_order"


@dataclass(frozen=True)
class Question:
    """What the page asks for."""

    email: str
    by_mail: bool
    was_sent: bool
    """Whether a mailed code can be typed in now."""
    is_step_up: bool


@dataclass(frozen=True)
class _Prover:
    """Who is to prove more, and what is proved already."""

    person: PersonSummary
    has_authenticator: bool
    device_id: UUID | None
    amr: tuple[str, ...]
    auth_time: datetime | None
    """Of the session that is stepped up; None when the password was typed in this flow."""

    @property
    def id(self) -> UUID:
        return self.person.id

    def recipient(self, browser: Browser) -> Recipient:
        return Recipient(self.person.email, self.person.locale or browser.language)


@dataclass(frozen=True)
class _OnPaper:
    """A recovery code that was counted, and waits for its hash."""

    code: str
    salt: bytes | None
    was_last: bool


def ask(flow_id: str | None, *, browser: Browser, now: datetime) -> Question:
    """What the page is to ask for; raises NothingToProve, FlowExpired."""
    with db.reading() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        prover = _prover(session, flow, browser, hold=False)
        return Question(
            email=prover.person.email,
            by_mail=not prover.has_authenticator,
            was_sent=email_code.was_sent(
                session, flow_id=flow.id, purpose=Purpose.SIGN_IN, now=now
            ),
            is_step_up=prover.auth_time is not None,
        )


def send(flow_id: str | None, *, browser: Browser, now: datetime) -> None:
    """Mail a code (again). Who has an authenticator app gets none."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = _prover(session, flow, browser)
        if not prover.has_authenticator:
            send_code(
                session,
                flow_id=flow.id,
                person_id=prover.id,
                recipient=prover.recipient(browser),
                now=now,
            )


def start_over(flow_id: str | None, *, browser: Browser, now: datetime) -> None:
    """Forget a first factor that counts no more: the person was blocked, or changed the password."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        flow.person_id = flow.first_factor_at = flow.first_factor_amr = None


def prove(
    flow_id: str | None, *, text: str, remember: bool, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted | Throttled:
    """Check a code; its shape says of which kind it is. Raises NothingToProve, FlowExpired."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = _prover(session, flow, browser)
        taken = throttle.take(
            session, throttle.code_tries(person_id=prover.id, device_id=prover.device_id), now=now
        )
        if isinstance(taken, Refusal):
            count_outcome("code", "throttled")
            return Throttled.by(taken, now)
        if flow.second_factor_failures >= TRIES_IN_FLOW:
            # Others of this flow are being hashed right now, and use up what was allowed.
            return _refuse(session, flow, prover, taken.was_last, browser, now)
        flow.second_factor_failures += 1
        on_paper = recovery_codes.code_of(text) if prover.has_authenticator else None
        if on_paper is None:
            amr = _accepted(session, flow, prover, text, now)
            if amr is None:
                return _refuse(session, flow, prover, taken.was_last, browser, now)
            return _enter(session, prover, amr, remember, browser, now)
        pending = _OnPaper(
            on_paper, recovery_codes.salt_of(session, person_id=prover.id), taken.was_last
        )
    return _prove_on_paper(flow_id, pending, remember, browser, now)


def _prove_on_paper(
    flow_id: str | None, pending: _OnPaper, remember: bool, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted:
    code_hash = recovery_codes.hash_of(hashing(), code=pending.code, salt=pending.salt)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = _prover(session, flow, browser)
        if not recovery_codes.spend(session, person_id=prover.id, code_hash=code_hash, now=now):
            return _refuse(session, flow, prover, pending.was_last, browser, now)
        _note_recovery(session, prover, browser, now)
        return _enter(session, prover, [acr.RECOVERY_CODE], remember, browser, now)


def _prover(session: Session, flow: Flow, browser: Browser, *, hold: bool = True) -> _Prover:
    signed_in = browser.signed_in
    amr: tuple[str, ...]
    if flow.first_factor_at is not None and flow.person_id is not None:
        person_id, amr, auth_time = flow.person_id, (flow.first_factor_amr or "",), None
    elif signed_in is not None:
        person_id, amr, auth_time = signed_in.person_id, signed_in.amr, signed_in.auth_time
    else:
        raise NothingToProve("no first factor")
    person = people.find(session, person_id)
    if person is None or not person.is_active:
        raise NothingToProve("the person is blocked or gone")
    if auth_time is None and password.was_changed_after(
        session, flow.first_factor_at or flow.created_at, person_id=person_id, hold=hold
    ):
        raise NothingToProve("the password was changed since")
    device = devices.find(session, person_id=person_id, secret=browser.device_secret)
    return _Prover(
        person=person,
        has_authenticator=totp.is_enrolled(session, person_id=person_id),
        device_id=device.id if device is not None else None,
        amr=amr,
        auth_time=auth_time,
    )


def _accepted(
    session: Session, flow: Flow, prover: _Prover, text: str, now: datetime
) -> list[str] | None:
    """The methods that a code proves, or None; a good code is spent."""
    if prover.has_authenticator:
        good = totp.accept(session, person_id=prover.id, text=text, now=now)
        return [acr.ONE_TIME_CODE] if good else None
    good = email_code.redeem(
        session,
        flow_id=flow.id,
        purpose=Purpose.SIGN_IN,
        recipient=str(prover.id),
        text=text,
        now=now,
    )
    return [acr.MAILED_CODE] if good else None


def _enter(
    session: Session,
    prover: _Prover,
    amr: Sequence[str],
    remember: bool,
    browser: Browser,
    now: datetime,
) -> Proved:
    throttle.forget_codes(session, person_id=prover.id, device_id=prover.device_id)
    by_mail = acr.MAILED_CODE in amr
    before = [method for method in prover.amr if method != acr.REMEMBERED_DEVICE]
    methods = [*before, *amr, *([] if by_mail else [acr.SEVERAL_FACTORS])]
    cookies = complete(
        session,
        person_id=prover.id,
        recipient=prover.recipient(browser),
        amr=list(dict.fromkeys(methods)),
        acr=acr.MAIL_CODE if by_mail else acr.TWO_FACTOR,
        remember=remember,
        auth_time=prover.auth_time,
        browser=browser,
        now=now,
    )
    count_outcome("code", "right")
    return Proved(cookies)


def _refuse(
    session: Session,
    flow: Flow,
    prover: _Prover,
    was_last: bool,
    browser: Browser,
    now: datetime,
) -> Wrong | Exhausted:
    """Count a wrong code. The fifth in a flow ends it: whoever goes on knows the password again."""
    count_outcome("code", "wrong")
    if was_last:
        _note(session, IdpEvent.SIGN_IN_CODE_THROTTLED, prover, browser, now, result="failure")
    if flow.second_factor_failures < TRIES_IN_FLOW:
        return Wrong()
    _note(session, IdpEvent.SIGN_IN_CODE_EXHAUSTED, prover, browser, now, result="failure")
    mails.send(
        session,
        "notices/second_factor_failed",
        to=prover.recipient(browser),
        context={"address": browser.where.address, "user_agent": browser.where.user_agent},
        now=now,
    )
    return Exhausted(flows.restart(session, flow, now=now).id)


def _note_recovery(session: Session, prover: _Prover, browser: Browser, now: datetime) -> None:
    left = recovery_codes.remaining(session, person_id=prover.id)
    _note(
        session,
        IdpEvent.RECOVERY_CODE_USED,
        prover,
        browser,
        now,
        result="success",
        details={"remaining": left},
    )
    mails.send(
        session,
        "notices/recovery_code_used",
        to=prover.recipient(browser),
        context={
            "remaining": left,
            "address": browser.where.address,
            "user_agent": browser.where.user_agent,
        },
        now=now,
    )


def _note(
    session: Session,
    event: IdpEvent,
    prover: _Prover,
    browser: Browser,
    now: datetime,
    *,
    result: Result,
    details: dict[str, int] | None = None,
) -> None:
    ledger.append(
        session,
        chain=person_chain(prover.id),
        event=event,
        actor=str(prover.id),
        subject=str(prover.id),
        result=result,
        at=now,
        details=details,
        personal=browser.personal,
        request_id=browser.request_id,
    )
