"""The moment in which somebody is signed in: the one place where that happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from idp.credentials import lost_factors
from idp.credentials.lost_factors import Outcome
from idp.events import IdpEvent
from idp.logout import end_sessions
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.not_me.locks import refuse_if_locked
from idp.notices import service as notices
from idp.protocol.acr import TWO_FACTOR
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.browser import Browser
from kernel.database import Writes, as_session
from tenants.audit import ledger, person_chain


@dataclass(frozen=True)
class Cookies:
    """What the browser is to keep."""

    session: str
    device: str

    def give(self, response: Response) -> None:
        """Put both into a response."""
        sessions.give_cookie(response, self.session)
        devices.give_cookie(response, self.device)


def complete(
    at: Writes,
    *,
    person_id: UUID,
    recipient: Recipient,
    amr: Sequence[str],
    acr: str,
    browser: Browser,
    now: datetime,
    remember: bool = False,
    is_first: bool = False,
    auth_time: datetime | None = None,
    application: str | None = None,
) -> Cookies:
    """Sign a person in, in this browser, inside the caller's transaction.

    Once more with the same password on a known device is a matter of hot statements; all else needs
    a session, and says so (SessionNeeded).

    `auth_time` is given where an earlier proof is only added to. `is_first` spares a person who
    just registered the mail about a new device. `application` asked for the sign-in. Raises Locked,
    whatever was proved.
    """
    _end_session_of_somebody_else(at, person_id, browser, now)
    device = devices.recognise(
        at,
        person_id=person_id,
        secret=browser.device_secret,
        remember=remember,
        where=browser.where,
        now=now,
    )
    secret = sessions.start(
        at,
        person_id=person_id,
        amr=amr,
        acr=acr,
        device_id=device.id,
        auth_time=auth_time,
        renews=browser.signed_in,
        where=browser.where,
        now=now,
    )
    refuse_if_locked(at, person_id=person_id)
    if device.is_new and not is_first:
        _tell_of_new_device(as_session(at), person_id, device.id, recipient, browser, now)
    if acr == TWO_FACTOR:
        _stop_looking_for_lost_factors(as_session(at), person_id, recipient, browser, now)
    ledger.append(
        at,
        chain=person_chain(person_id),
        event=IdpEvent.SIGN_IN_SUCCEEDED if auth_time is None else IdpEvent.SIGN_IN_STEPPED_UP,
        actor=str(person_id),
        subject=str(person_id),
        result="success",
        at=now,
        details={
            "acr": acr,
            "amr": list(amr),
            "device": str(device.id),
            "new_device": device.is_new,
            "remembered": remember,
            **({"application": application} if application is not None else {}),
        },
        personal=browser.personal,
        request_id=browser.request_id,
    )
    return Cookies(secret, device.secret)


def _tell_of_new_device(
    session: Session,
    person_id: UUID,
    device_id: UUID,
    recipient: Recipient,
    browser: Browser,
    now: datetime,
) -> None:
    if devices.knows_another(session, person_id=person_id, than=device_id):
        notices.tell(
            session, "new_device", person_id=person_id, to=recipient, browser=browser, now=now
        )


def _stop_looking_for_lost_factors(
    session: Session, person_id: UUID, recipient: Recipient, browser: Browser, now: datetime
) -> None:
    """Who signs in with a factor has not lost it, or is not who said so."""
    request_id = lost_factors.end(session, person_id=person_id, outcome=Outcome.FOUND, now=now)
    if request_id is None:
        return
    ledger.append(
        session,
        chain=person_chain(person_id),
        event=IdpEvent.LOST_FACTORS_STOPPED,
        actor=str(person_id),
        subject=str(person_id),
        result="success",
        at=now,
        details={"request": str(request_id), "outcome": Outcome.FOUND},
        personal=browser.personal,
        request_id=browser.request_id,
    )
    mails.send(
        session,
        "lost_factors/found",
        to=recipient,
        person_id=person_id,
        context={"address": browser.where.address, "user_agent": browser.where.user_agent},
        now=now,
    )


def _end_session_of_somebody_else(
    at: Writes, person_id: UUID, browser: Browser, now: datetime
) -> None:
    other = browser.signed_in
    if other is not None and other.person_id != person_id:
        session = as_session(at)
        end_sessions(session, session_ids=[other.session_id], reason="replaced", now=now)
        ledger.append(
            session,
            chain=person_chain(other.person_id),
            event=IdpEvent.SESSIONS_ENDED,
            actor=None,
            subject=str(other.person_id),
            result="success",
            at=now,
            details={"reason": "replaced", "sessions": [str(other.session_id)]},
            request_id=browser.request_id,
        )
