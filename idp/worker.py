"""What the identity program does when nobody asks: sends its mails and tells applications."""

from datetime import timedelta

from flask import Flask

from idp import facts as hearing
from idp.cleaning import JOBS
from idp.grants import service as grants
from idp.keys import service as keys
from idp.logout import backchannel
from idp.mailbox import delivery as mailbox
from idp.mailbox import service as mailbox_requests
from idp.mails import delivery as letters
from idp.mails import service as mails
from idp.provisioning import delivery as provisioning
from idp.security_events import delivery as security_delivery
from idp.security_events import service as security_events
from idp.sessions import arrivals
from kernel import clock
from kernel.jobs import Job, until_done
from kernel.outbox import Worker
from tenants.api.views import idempotent_requests
from tenants.audit import ledger
from tenants.database import db
from tenants.facts import service as facts
from tenants.limits import limits
from tenants.members import expiry as assignments
from tenants.outbox import outbox
from tenants.webhooks import deliveries, sending

# How long it can be seen what applications were told.
_EVENTS_KEPT = timedelta(days=30)
_FACTS_KEPT = timedelta(days=30)


def create_worker(app: Flask) -> Worker:
    """The worker of the identity program: a few threads beside a server, or a process of its own."""
    return Worker(
        app,
        db,
        outbox,
        handlers={
            mails.KIND: letters.deliver,
            mailbox_requests.KIND: mailbox.deliver,
            backchannel.KIND: backchannel.deliver,
            provisioning.KIND: provisioning.deliver,
            facts.MESSAGE: lambda _message: hearing.hear(clock.now()),
            deliveries.KIND: sending.deliver,
            security_events.KIND: security_delivery.deliver,
            security_delivery.HEARTBEAT: security_delivery.deliver_heartbeat,
        },
        ledger=ledger,
        limits=limits,
        jobs=(
            *JOBS,
            Job(
                "clean-grants",
                timedelta(minutes=5),
                lambda now: until_done(lambda: grants.clean(now)),
            ),
            Job(
                "clean-repeated-requests",
                timedelta(minutes=10),
                lambda now: until_done(lambda: idempotent_requests.clean(db, now=now)),
            ),
            Job(
                "end-assignments",
                timedelta(seconds=1),
                lambda now: until_done(lambda: assignments.end_over(now=now)),
            ),
            # Should a message that tells of facts ever get lost.
            Job("hear-facts", timedelta(seconds=10), hearing.hear),
            Job("note-arrivals", timedelta(seconds=30), arrivals.note),
            Job(
                "clean-facts",
                timedelta(minutes=5),
                lambda now: until_done(lambda: facts.clean(before=now - _FACTS_KEPT)),
            ),
            Job("beat-security-feeds", timedelta(seconds=2), security_delivery.beat),
            Job(
                "clean-security-events",
                timedelta(minutes=5),
                lambda now: until_done(lambda: security_events.clean(before=now - _EVENTS_KEPT)),
            ),
            Job(
                "clean-webhooks",
                timedelta(minutes=5),
                lambda now: until_done(lambda: deliveries.clean(before=now - _EVENTS_KEPT)),
            ),
            Job("rotate-keys", timedelta(minutes=5), lambda now: keys.ensure_keys(now=now)),
        ),
    )
