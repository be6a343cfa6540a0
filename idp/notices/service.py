"""Telling the mailbox what happened to the ID. Inner functions: they take the caller's session."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.not_me import links
from idp.not_me.links import Added, Factor
from idp.sessions.browser import Browser

__all__ = ["Added", "Factor", "tell"]


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
    """
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
