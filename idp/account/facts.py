"""One row of the person's history, and one mail, for a change that they made themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.events import IdpEvent
from idp.mails.service import Recipient
from idp.notices import service as notices
from idp.notices.service import Added
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from tenants.audit import ledger, person_chain


def note(
    session: Session,
    event: IdpEvent,
    *,
    by: SignedIn,
    browser: Browser,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Write what a person did to their own ID."""
    ledger.append(
        session,
        chain=person_chain(by.person_id),
        event=event,
        actor=str(by.person_id),
        subject=str(by.person_id),
        result="success",
        at=now,
        details=details,
        personal=browser.personal,
        session_id=str(by.session_id),
        request_id=browser.request_id,
    )


def tell(
    session: Session,
    notice: str,
    *,
    to: SignedIn,
    browser: Browser,
    now: datetime,
    added: Added | None = None,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Let the mailbox know, in case it was somebody else. `added` is the factor that was added."""
    notices.tell(
        session,
        notice,
        person_id=to.person_id,
        to=Recipient.of(to, otherwise=browser.language),
        browser=browser,
        added=added,
        context=context,
        now=now,
    )
