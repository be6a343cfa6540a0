"""The identity program's limits: how often, by whom, in the shared database."""

from kernel.limits import LimitMixin, Limits
from tenants.database import Base


class Limit(LimitMixin, Base):
    """How often one thing was tried."""

    __tablename__ = "limits"


limits = Limits(Limit)
