"""What comes of facts: security events for applications, webhooks, and that accounts see who came.

Each fact has its effects once.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.invitations import letters as invitations
from idp.joining import service as joining
from idp.security_events import service as security_events
from idp.webhooks import letters as webhook_letters
from tenants.facts import service as facts
from tenants.facts.service import FactSummary
from tenants.members import arrival
from tenants.webhooks import announcing as webhooks

_BATCH = 100


def hear(now: datetime) -> None:
    """Act on every waiting fact."""
    last = facts.handle_waiting(_handle(now), now=now, batch=_BATCH)
    while last == _BATCH:
        last = facts.handle_waiting(_handle(now), now=now, batch=_BATCH)


def _handle(now: datetime) -> facts.Handle:
    def handle(session: Session, waiting: list[FactSummary]) -> None:
        security_events.announce(session, waiting, now=now)
        arrival.hear(session, waiting, now=now)
        joining.hear(session, waiting, now=now)
        invitations.hear(session, waiting, now=now)
        webhook_letters.hear(session, waiting, now=now)
        webhooks.announce(session, waiting, now=now)

    return handle
