"""What the consent page is told by whoever wants to know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Question:
    """What to ask whom, and where the answer leads."""

    reference: str
    """What the asker knows the question by."""
    person_id: UUID
    email: str
    client_id: str
    client_name: str
    owner: str | None
    host: str
    """Where the person is taken afterwards."""
    scopes: tuple[str, ...]
    account: str | None
    """The account, and perhaps its company, in which the application is to work."""
    account_name: str | None
    company_name: str | None
    goes_on_at: str


class Asker(Protocol):
    """Who has questions. The identity program hands its own in when it is put together."""

    def question(self, reference: str | None, *, now: datetime) -> Question:
        """The question that is open under this reference, for the person in this browser."""

    def answered(
        self, session: Session, question: Question, *, allowed: bool, now: datetime
    ) -> None:
        """Note the answer, in the transaction in which a consent is written down."""
