"""What comes of facts: security events for applications, and that accounts see who came.

Each fact has its effects once.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.security_events import service as security_events
from kernel import clock
from kernel.outbox import Message
from tenants.facts import service as facts
from tenants.facts.service import FactSummary
from tenants.members import arrival

_BATCH = 100


def hear(_message: Message) -> None:
    """The worker's handler: something was noted."""
    hear_all(clock.now())


def hear_all(now: datetime) -> int:
    """Act on every waiting fact; says how many. Also a job, should a message ever get lost."""
    count = last = facts.handle_waiting(_handle(now), now=now, batch=_BATCH)
    while last == _BATCH:
        last = facts.handle_waiting(_handle(now), now=now, batch=_BATCH)
        count += last
    return count


def _handle(now: datetime) -> facts.Handle:
    def handle(session: Session, waiting: list[FactSummary]) -> None:
        security_events.announce(session, waiting, now=now)
        arrival.hear(session, waiting, now=now)

    return handle
