"""Telling the mailbox what happened to the ID. Inner functions: they take the caller's session."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.not_me import links
from idp.not_me.links import Added, Factor
from idp.sessions.browser import Browser
from kernel.limits import Refusal, Window
from tenants.limits import limits

__all__ = ["Added", "Factor", "tell"]

# What others can cause by failing, as often as they like. Of what succeeded, each is told.
_OF_FAILURES = {
    notice: Window(f"mail:{notice}", limit=5, every=timedelta(hours=1))
    for notice in ("second_factor_failed", "many_failures", "passkey_went_back")
}


def tell(
    session: Session,
    notice: str,
    *,
    person_id: UUID,
    to: Recipient,
    browser: Browser,
    now: datetime,
    added: Added | None = None,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Send the notice `mail/notices/<notice>`, with a link for whoever it was not.

    `added` names the factor that the notice says was added, so that the link can take it away.
    Of failures, five an hour are told.
    """
    window = _OF_FAILURES.get(notice)
    if window is not None:
        taken = limits.take_in(session, key=str(person_id), policy=window, now=now)
        if isinstance(taken, Refusal):
            return
    mails.send(
        session,
        f"notices/{notice}",
        to=to,
        person_id=person_id,
        context={
            "not_me_token": links.issue(
                session, person_id=person_id, notice=notice, added=added, now=now
            ),
            "address": browser.where.address,
            "user_agent": browser.where.user_agent,
            **(context or {}),
        },
        now=now,
    )
