"""Making and finding profiles."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.profiles.models import Profile
from relying_party.sign_in.service import Entry


@dataclass(frozen=True)
class ProfileSummary:
    """A profile, to be read."""

    id: UUID
    first_entered_at: datetime
    last_entered_at: datetime


def enter(session: Session, entry: Entry) -> None:
    """The person comes in: the first time, this makes the profile."""
    if _entered_again(session, entry):
        return
    try:
        with session.begin_nested():
            session.add(
                Profile(
                    issuer=entry.issuer,
                    subject=entry.subject,
                    first_entered_at=entry.at,
                    last_entered_at=entry.at,
                )
            )
    except IntegrityError:
        # Two tabs came in for the first time at once.
        _entered_again(session, entry)


def find(session: Session, *, issuer: str, subject: str) -> ProfileSummary | None:
    """The profile of a person."""
    row = session.execute(
        select(Profile.id, Profile.first_entered_at, Profile.last_entered_at).where(
            Profile.issuer == issuer, Profile.subject == subject
        )
    ).one_or_none()
    return None if row is None else ProfileSummary(*row)


def _entered_again(session: Session, entry: Entry) -> bool:
    updated = session.execute(
        update(Profile)
        .where(Profile.issuer == entry.issuer, Profile.subject == entry.subject)
        .values(last_entered_at=entry.at)
    )
    return updated.rowcount == 1  # type: ignore[attr-defined, no-any-return]
