"""What the identity program has to send: mails, logout tokens, later events and webhooks."""

from kernel.outbox import Outbox, OutboxMessageMixin
from tenants.database import Base


class OutboxMessage(OutboxMessageMixin, Base):
    """A message that waits for the worker, or went."""

    __tablename__ = "outbox_messages"


outbox = Outbox(OutboxMessage)
