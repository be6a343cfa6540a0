"""Whoever adds a second proof: after the password of the same flow, or on top of a living session.

`code` and `passkey` are the proofs; what they share is here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import passkeys, password, totp
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow, Flow
from idp.mails.service import Recipient
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sign_in import throttle
from idp.sign_in.completion import complete
from idp.sign_in.destination import application_of
from idp.sign_in.outcomes import Exhausted, Proved, Wrong, count_outcome
from kernel.errors import Refused
from kernel.ledger import Result
from tenants.audit import ledger, person_chain
from tenants.people import service as people
from tenants.people.service import PersonSummary

TRIES_IN_FLOW = 5


class NothingToProve(Refused):
    """Neither a password in this flow nor a session: the page is out of order."""

    reason = "out_of_order"


@dataclass(frozen=True)
class Prover:
    """Who is to prove more, and what is proved already."""

    person: PersonSummary
    has_authenticator: bool
    has_passkey: bool
    device_id: UUID | None
    amr: tuple[str, ...]
    auth_time: datetime | None
    """Of the session that is stepped up; None when the password was typed in this flow."""
    application: str | None
    """Which application asked for it."""

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def by_mail(self) -> bool:
        """Whether the mailbox is all that there is."""
        return not (self.has_authenticator or self.has_passkey)

    def recipient(self, browser: Browser) -> Recipient:
        return Recipient.of(self.person, otherwise=browser.language)


def find(session: Session, flow: AnyFlow, browser: Browser, *, hold: bool = True) -> Prover:
    """Who is to prove more; raises NothingToProve."""
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
    return Prover(
        person=person,
        has_authenticator=totp.is_enrolled(session, person_id=person_id),
        has_passkey=passkeys.is_enrolled(session, person_id=person_id),
        device_id=device.id if device is not None else None,
        amr=amr,
        auth_time=auth_time,
        application=application_of(flow),
    )


def enter(
    session: Session,
    prover: Prover,
    amr: Sequence[str],
    remember: bool,
    browser: Browser,
    now: datetime,
    factor: str = "code",
) -> Proved:
    """Sign in with what was proved now and before."""
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
        application=prover.application,
        browser=browser,
        now=now,
    )
    count_outcome(factor, "right")
    return Proved(cookies)


def refuse(
    session: Session,
    flow: Flow,
    prover: Prover,
    was_last: bool,
    browser: Browser,
    now: datetime,
    factor: str = "code",
) -> Wrong | Exhausted:
    """Count a wrong proof. The fifth in a flow ends it: whoever goes on knows the password again."""
    count_outcome(factor, "wrong")
    if was_last:
        note(session, IdpEvent.SIGN_IN_CODE_THROTTLED, prover, browser, now, result="failure")
    if flow.second_factor_failures < TRIES_IN_FLOW:
        return Wrong()
    note(session, IdpEvent.SIGN_IN_CODE_EXHAUSTED, prover, browser, now, result="failure")
    notices.tell(
        session,
        "second_factor_failed",
        person_id=prover.id,
        to=prover.recipient(browser),
        browser=browser,
        now=now,
    )
    return Exhausted(flows.restart(session, flow, now=now).id)


def note(
    session: Session,
    event: IdpEvent,
    prover: Prover,
    browser: Browser,
    now: datetime,
    *,
    result: Result,
    details: dict[str, Any] | None = None,
) -> None:
    """Write what the person did, or failed to do, into their history."""
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
