"""The table of requests that may be sent twice."""

from kernel.api.idempotency import IdempotentRequestMixin
from tenants.database import Base


class IdempotentRequest(IdempotentRequestMixin, Base):
    """A request to the API that came with a key of its sender."""

    __tablename__ = "idempotent_requests"
