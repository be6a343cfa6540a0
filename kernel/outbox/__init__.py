"""The outbox: what has to leave the program is first a row, written by the transaction behind it.

`Outbox.put` writes a message in the causing transaction; a `Worker` delivers it after the commit,
again and again until it worked, is out of time or is given up. A program makes its table and its
one instance:

    class OutboxMessage(OutboxMessageMixin, Base):
        __tablename__ = "outbox_messages"

    outbox = Outbox(OutboxMessage)
"""

from kernel.jobs import Job
from kernel.outbox.lanes import Lane
from kernel.outbox.models import OutboxMessageMixin
from kernel.outbox.queue import Message, Undeliverable
from kernel.outbox.service import DeadMessage, Outbox
from kernel.outbox.worker import Handler, Worker

__all__ = [
    "DeadMessage",
    "Handler",
    "Job",
    "Lane",
    "Message",
    "Outbox",
    "OutboxMessageMixin",
    "Undeliverable",
    "Worker",
]
