"""What a person says about themselves. The address is shown and never changes (ID-3)."""

from collections.abc import Mapping
from datetime import datetime

from idp.account.facts import note
from idp.events import IdpEvent
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from kernel.errors import NotFound
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary


def of(me: SignedIn) -> PersonSummary:
    """The person's own profile."""
    with db.reading() as session:
        person = people.find(session, me.person_id)
    if person is None:
        raise NotFound("the person is gone")
    return person


def change(
    me: SignedIn, values: Mapping[str, str | None], *, browser: Browser, now: datetime
) -> None:
    """Keep a changed profile; the history names the fields and not what stands in them."""
    with db.transaction() as session:
        if people.describe(session, person_id=me.person_id, values=values, now=now):
            note(
                session,
                IdpEvent.PERSON_PROFILE_CHANGED,
                by=me,
                details={"fields": sorted(values)},
                browser=browser,
                now=now,
            )


def save_language(me: SignedIn, language: str, *, now: datetime) -> None:
    """Keep the language that was chosen at the foot of a page."""
    with db.transaction() as session:
        people.describe(session, person_id=me.person_id, values={"locale": language}, now=now)
