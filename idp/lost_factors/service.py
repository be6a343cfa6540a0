"""The person's side: password and mailbox proved, a request made, and in the end used.

There is no session on the way. All that the steps do hangs on the flow of this browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import email_code, lost_factors, passkeys, password, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.credentials.lost_factors import Outcome, Request, State
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow
from idp.logout import end_sessions
from idp.mailbox import service as mailbox
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.not_me.locks import refuse_if_locked
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.settings import current_settings
from idp.sign_in import mailed_code, throttle
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong, count_outcome
from idp.sign_in.prover import TRIES_IN_FLOW
from kernel.errors import Refused
from kernel.ledger import Result
from kernel.limits import Refusal, Window
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.limits import limits
from tenants.people import service as people
from tenants.people.address import canonical_email
from tenants.people.service import PersonSummary

REQUESTS = Window("lost-factors", limit=3, every=timedelta(days=7))
# A password that was typed longer ago is asked for again.
FRESH_FOR = flows.LIFETIME


class PasswordMissing(Refused):
    """Nobody proved a password here lately, or what it was proved for is over."""

    reason = "out_of_order"


class NothingLost(Refused):
    """This person has no factor that could be lost: codes come by mail."""

    reason = "nothing_lost"


class MailboxNotProved(Refused):
    """The code from the mail is missing in this flow."""

    reason = "out_of_order"


class NotReady(Refused):
    """There is no approved request, it has to wait, or it was used or stopped meanwhile."""

    reason = "not_ready"


@dataclass(frozen=True)
class Factors:
    """What would be removed."""

    has_authenticator: bool
    passkeys: int


@dataclass(frozen=True)
class Standing:
    """Where this person stands, for the pages."""

    email: str
    factors: Factors
    request: Request | None
    state: State | None
    mailbox_is_proved: bool
    code_was_sent: bool
    mail_wait: int | None
    """Seconds until another mail may be sent; None when one may be now."""


@dataclass(frozen=True)
class TooMany:
    """No further request before then."""

    until: datetime


@dataclass(frozen=True)
class _Asker:
    """Who has proved the password."""

    person: PersonSummary
    device_id: UUID | None

    @property
    def id(self) -> UUID:
        return self.person.id

    def recipient(self, browser: Browser) -> Recipient:
        return Recipient.of(self.person, otherwise=browser.language)


def begin(flow_id: str | None, *, browser: Browser, return_to: str, now: datetime) -> UUID:
    """The flow in which this goes on: the one at hand, or a new one for who is signed in."""
    with db.transaction() as session:
        if flow_id is not None:
            return flows.load(session, flow_id, browser.id_hash, now).id
        signed_in = browser.signed_in
        return flows.start(
            session,
            browser_hash=browser.id_hash,
            return_to=return_to,
            email=signed_in.email if signed_in is not None else None,
            now=now,
        ).id


def password_first(flow_id: str | None, *, browser: Browser, return_to: str, now: datetime) -> UUID:
    """A flow that asks for the password (again) and then leads on to here."""
    with db.transaction() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        signed_in = browser.signed_in
        if signed_in is None:
            return flow.id
        return flows.start(
            session,
            browser_hash=browser.id_hash,
            return_to=return_to,
            email=signed_in.email,
            password_first=True,
            now=now,
        ).id


def look(flow_id: str | None, *, browser: Browser, now: datetime) -> Standing:
    """What the pages say; raises PasswordMissing, NothingLost, FlowExpired."""
    with db.reading() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        asker = _asker(session, flow, browser, now, hold=False)
        request = lost_factors.latest(session, person_id=asker.id)
        return Standing(
            email=asker.person.email,
            factors=_factors(session, asker.id),
            request=request,
            state=request.state(now) if request is not None else None,
            mailbox_is_proved=_is_proved(flow, asker.person),
            code_was_sent=email_code.was_sent(
                session, flow_id=flow.id, purpose=Purpose.LOST_FACTORS, now=now
            ),
            mail_wait=mailed_code.wait(
                session, person_id=asker.id, purpose=Purpose.LOST_FACTORS, now=now
            ),
        )


def send(flow_id: str | None, *, browser: Browser, now: datetime) -> Throttled | None:
    """Mail a code (again), unless too many were mailed lately."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        asker = _asker(session, flow, browser, now)
        refusal = mailed_code.send_code(
            session,
            flow_id=flow.id,
            person_id=asker.id,
            recipient=asker.recipient(browser),
            purpose=Purpose.LOST_FACTORS,
            now=now,
        )
    return Throttled.by(refusal, now) if refusal is not None else None


def prove(
    flow_id: str | None, *, text: str, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted | Throttled:
    """Check the code from the mail. It counts like any code: five tries in a flow, and over flows."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        asker = _asker(session, flow, browser, now)
        taken = throttle.take(
            session, throttle.code_tries(person_id=asker.id, device_id=asker.device_id), now=now
        )
        if isinstance(taken, Refusal):
            count_outcome("lost-factors", "throttled")
            return Throttled.by(taken, now)
        flow.second_factor_failures += 1
        good = flow.second_factor_failures <= TRIES_IN_FLOW and email_code.redeem(
            session,
            flow_id=flow.id,
            purpose=Purpose.LOST_FACTORS,
            recipient=str(asker.id),
            text=text,
            now=now,
        )
        if good:
            flow.second_factor_failures -= 1
            flow.mailbox_email = asker.person.email
            flow.mailbox_proven_at = now
            flow.mailbox_proven_for = Purpose.LOST_FACTORS
            count_outcome("lost-factors", "right")
            return Proved(None)
        count_outcome("lost-factors", "wrong")
        if taken.was_last:
            _note(session, IdpEvent.SIGN_IN_CODE_THROTTLED, asker, browser, now, result="failure")
        if flow.second_factor_failures < TRIES_IN_FLOW:
            return Wrong()
        _note(session, IdpEvent.SIGN_IN_CODE_EXHAUSTED, asker, browser, now, result="failure")
        return Exhausted(flows.restart(session, flow, now=now).id)


def ask(
    flow_id: str | None, *, contact: str, note: str, browser: Browser, now: datetime
) -> Request | TooMany:
    """Put a request before the operator. Where one is open already, that one is the answer.

    The proof of the mailbox is used up: what follows the waiting time needs another one.
    """
    days = timedelta(days=current_settings().lost_factors_days)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        asker = _asker(session, flow, browser, now)
        if not _is_proved(flow, asker.person):
            raise MailboxNotProved("no proof for lost factors in this flow")
        before = lost_factors.latest(session, person_id=asker.id)
        if before is not None and before.is_open(now):
            return before
        taken = limits.take_in(session, key=str(asker.id), policy=REQUESTS, now=now)
        if isinstance(taken, Refusal):
            return TooMany(taken.retry_at)
        made = lost_factors.ask(
            session,
            person_id=asker.id,
            contact=contact,
            note=note or None,
            address=browser.where.address,
            user_agent=browser.where.user_agent,
            expires_at=now + days,
            now=now,
        )
        flow.mailbox_proven_for = None
        if made is not None:
            request_id, token = made
            _note(
                session,
                IdpEvent.LOST_FACTORS_ASKED,
                asker,
                browser,
                now,
                result="success",
                details={"request": str(request_id)},
            )
            mails.send(
                session,
                "lost_factors/asked",
                to=asker.recipient(browser),
                person_id=asker.id,
                context={
                    "stop_token": token,
                    "address": browser.where.address,
                    "user_agent": browser.where.user_agent,
                    "hours": current_settings().lost_factors_waiting_hours,
                },
                now=now,
            )
        request = lost_factors.latest(session, person_id=asker.id)
    if request is None:
        raise MailboxNotProved("the person is gone")
    return request


def finish(flow_id: str | None, *, browser: Browser, now: datetime) -> Cookies:
    """Remove every strong factor and sign in without; raises NotReady, MailboxNotProved.

    All of it is one transaction, and begins with the one statement that spends the request.
    """
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        asker = _asker(session, flow, browser, now)
        if not _is_proved(flow, asker.person):
            raise MailboxNotProved("no proof for lost factors in this flow")
        request_id = lost_factors.use(session, person_id=asker.id, now=now)
        if request_id is None:
            raise NotReady("no request that may be used now")
        flow.mailbox_proven_for = None
        by_mail_alone = password.was_changed_after(session, flow.created_at, person_id=asker.id)
        removed = _factors(session, asker.id)
        _remove_factors(session, asker.id, now)
        throttle.forget_codes(session, person_id=asker.id, device_id=asker.device_id)
        end_sessions(session, person_id=asker.id, reason="factors-removed", now=now)
        _note(
            session,
            IdpEvent.LOST_FACTORS_REMOVED,
            asker,
            browser,
            now,
            result="success",
            details={
                "request": str(request_id),
                "authenticator": removed.has_authenticator,
                "passkeys": removed.passkeys,
            },
        )
        notices.tell(
            session,
            "factors_removed",
            person_id=asker.id,
            to=asker.recipient(browser),
            browser=browser,
            now=now,
        )
        return complete(
            session,
            person_id=asker.id,
            recipient=asker.recipient(browser),
            # A password that was set by mail in this flow, and a code by mail, are one proof.
            amr=[acr.PASSWORD] if by_mail_alone else [acr.PASSWORD, acr.MAILED_CODE],
            acr=acr.SINGLE_FACTOR if by_mail_alone else acr.MAIL_CODE,
            browser=browser,
            now=now,
        )


def can_stop(token: str, *, now: datetime) -> bool:
    """Whether a mailed link would stop a request; looking spends nothing."""
    with db.reading() as session:
        return lost_factors.can_stop(session, token, now=now)


def stop(token: str, *, browser: Browser, now: datetime) -> bool:
    """Stop a request by its mailed link, from any browser; False when the link is spent."""
    with db.transaction() as session:
        person_id = lost_factors.stop(session, token, now=now)
        if person_id is None:
            return False
        person = people.find(session, person_id)
        ledger.append(
            session,
            chain=person_chain(person_id),
            event=IdpEvent.LOST_FACTORS_STOPPED,
            # The link proves the mailbox, which more than one may read.
            actor=None,
            subject=str(person_id),
            result="success",
            at=now,
            details={"outcome": Outcome.STOPPED},
            personal=browser.personal,
            about=str(person_id),
            request_id=browser.request_id,
        )
        if person is not None:
            mails.send(
                session,
                "lost_factors/stopped",
                to=Recipient.of(person, otherwise=browser.language),
                person_id=person.id,
                context={
                    "address": browser.where.address,
                    "user_agent": browser.where.user_agent,
                },
                now=now,
            )
    return True


def _asker(
    session: Session, flow: AnyFlow, browser: Browser, now: datetime, *, hold: bool = True
) -> _Asker:
    """Who typed the password: in this flow, or in this browser's session a moment ago.

    The second is for who is on a remembered device, where no code is asked for at the sign-in.
    """
    signed_in = browser.signed_in
    if flow.person_id is not None and flow.first_factor_at is not None:
        is_password = flow.first_factor_amr == acr.PASSWORD
        person_id, proved_at = flow.person_id, flow.first_factor_at
    elif signed_in is not None:
        is_password = acr.PASSWORD in signed_in.amr
        person_id, proved_at = signed_in.person_id, signed_in.auth_time
    else:
        raise PasswordMissing("no first factor")
    if not is_password or now - proved_at > FRESH_FOR:
        raise PasswordMissing("no password, or too long ago")
    person = people.find(session, person_id)
    if person is None or not person.is_active:
        raise PasswordMissing("the person is blocked or gone")
    if password.was_changed_after(session, proved_at, person_id=person_id, hold=hold):
        raise PasswordMissing("the password was changed since")
    refuse_if_locked(session, person_id=person_id)
    factors = _factors(session, person_id)
    if not factors.has_authenticator and not factors.passkeys:
        raise NothingLost("no strong factor is enrolled")
    device = devices.find(session, person_id=person_id, secret=browser.device_secret)
    return _Asker(person, device.id if device is not None else None)


def _factors(session: Session, person_id: UUID) -> Factors:
    return Factors(
        has_authenticator=totp.is_enrolled(session, person_id=person_id),
        passkeys=passkeys.count(session, person_id=person_id),
    )


def _remove_factors(session: Session, person_id: UUID, now: datetime) -> None:
    totp.remove(session, person_id=person_id)
    passkeys.remove_all(session, person_id=person_id)
    recovery_codes.void(session, person_id=person_id)
    devices.forget(session, person_id=person_id, now=now)


def _is_proved(flow: AnyFlow, person: PersonSummary) -> bool:
    return (
        mailbox.is_proved(flow, Purpose.LOST_FACTORS)
        and flow.mailbox_email is not None
        and canonical_email(flow.mailbox_email).key == person.email_key
    )


def _note(
    session: Session,
    event: IdpEvent,
    asker: _Asker,
    browser: Browser,
    now: datetime,
    *,
    result: Result,
    details: Mapping[str, Any] | None = None,
) -> None:
    ledger.append(
        session,
        chain=person_chain(asker.id),
        event=event,
        actor=str(asker.id),
        subject=str(asker.id),
        result=result,
        at=now,
        details=details,
        personal=browser.personal,
        request_id=browser.request_id,
    )
