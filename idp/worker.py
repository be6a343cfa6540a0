"""What the identity program does when nobody asks: sends its mails and tells applications."""

from datetime import timedelta

from flask import Flask

from idp.cleaning import JOBS
from idp.grants import service as grants
from idp.keys import service as keys
from idp.logout import backchannel
from idp.mailbox import delivery as mailbox
from idp.mailbox import service as mailbox_requests
from idp.mails import delivery as letters
from idp.mails import service as mails
from kernel.jobs import Job, until_done
from kernel.outbox import Worker
from tenants.audit import ledger
from tenants.database import db
from tenants.limits import limits
from tenants.outbox import outbox


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
            Job("rotate-keys", timedelta(minutes=5), lambda now: keys.ensure_keys(now=now)),
        ),
    )
