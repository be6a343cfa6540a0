"""Limits that parallel requests on several nodes can't pass: how often, and how soon again.

A try is counted before it is checked, in one atomic statement. Start at `Limits.take`. A program
makes its table and its one instance:

    class Limit(LimitMixin, Base):
        __tablename__ = "limits"

    limits = Limits(Limit)
"""

from kernel.limits.models import LimitMixin
from kernel.limits.policies import Delays, LimitPolicy, Window
from kernel.limits.service import Limits, Refusal, Taken

__all__ = ["Delays", "LimitMixin", "LimitPolicy", "Limits", "Refusal", "Taken", "Window"]
