"""Lanes: messages of different weight never stand in one queue."""

from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """What kind of road a message takes."""

    SECURITY = "security"
    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True)
class Capacity:
    """How much of a lane goes on at once in one worker."""

    threads: int
    # The same with those that turned out to be slow, which no longer keep others waiting.
    most: int
    # Messages that may be under way to one destination. One keeps their order.
    per_destination: int
    # Attempts before a message is given up, unless it expires earlier.
    attempts: int


CAPACITIES = {
    Lane.SECURITY: Capacity(threads=8, most=32, per_destination=1, attempts=20),
    Lane.WEBHOOK: Capacity(threads=4, most=16, per_destination=1, attempts=20),
    # The destination of all mails is one mail server, which takes several at once.
    Lane.MAIL: Capacity(threads=4, most=16, per_destination=4, attempts=20),
}
