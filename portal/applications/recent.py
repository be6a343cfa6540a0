"""«Recently used»: written when somebody opens an application here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.applications import catalogue
from portal.applications.catalogue import Application
from portal.applications.models import RecentUse
from portal.database import db
from portal.profiles import service as profiles
from portal.profiles.service import ProfileSummary
from portal.settings import PortalSettings
from relying_party.sessions.service import SignedIn

_SHOWN = 6


@dataclass(frozen=True)
class Used:
    """An application and when it was last opened."""

    application: Application
    at: datetime


def note(application: Application, *, by: SignedIn, now: datetime) -> None:
    """Remember that this person opens this application now."""
    with db.transaction() as session:
        profile = profiles.find(session, issuer=by.issuer, subject=by.subject)
        if profile is None or _used_again(session, profile, application, now):
            return
        try:
            with session.begin_nested():
                session.add(
                    RecentUse(profile_id=profile.id, application=application.key, used_at=now)
                )
        except IntegrityError:
            # Opened for the first time in two tabs at once.
            _used_again(session, profile, application, now)


def used_by(person: SignedIn, settings: PortalSettings) -> list[Used]:
    """What the person opened, the latest first. An application that is gone is left out."""
    with db.reading() as session:
        profile = profiles.find(session, issuer=person.issuer, subject=person.subject)
        if profile is None:
            return []
        rows = session.execute(
            select(RecentUse.application, RecentUse.used_at)
            .where(RecentUse.profile_id == profile.id)
            .order_by(RecentUse.used_at.desc())
            .limit(_SHOWN)
        ).all()
    found = [(catalogue.find(settings, key), at) for key, at in rows]
    return [Used(application, at) for application, at in found if application is not None]


def _used_again(
    session: Session, profile: ProfileSummary, application: Application, now: datetime
) -> bool:
    updated = session.execute(
        update(RecentUse)
        .where(RecentUse.profile_id == profile.id, RecentUse.application == application.key)
        .values(used_at=now)
    )
    return updated.rowcount == 1  # type: ignore[attr-defined, no-any-return]
