"""Making the demo people, and finding out whether they were made."""

from datetime import datetime, timedelta

import pyotp
from sqlalchemy.orm import Session

from idp.credentials import password, totp
from idp.credentials.hashing import hashing
from idp.demo.people import PEOPLE, DemoPerson
from tenants.database import db
from tenants.people import service as people


def ensure(*, now: datetime) -> None:
    """Make the demo people that are missing. Who is there already is left as they are."""
    with db.reading() as session:
        missing = [one for one in PEOPLE if people.find_by_email(session, one.email) is None]
    # Hashes take long; nobody waits for the database meanwhile.
    hashes = {one.email: hashing().hash(password.normalised(one.password)) for one in missing}
    if not missing:
        return
    with db.transaction() as session:
        for one in missing:
            create(session, one, hash_=hashes[one.email], now=now)


def exist(session: Session) -> bool:
    """Whether any of the demo people has an ID here."""
    return any(people.find_by_email(session, one.email) is not None for one in PEOPLE)


def create(session: Session, one: DemoPerson, *, hash_: str, now: datetime) -> None:
    """Make one of them with everything they sign in with, unless they are there already."""
    if people.find_by_email(session, one.email) is not None:
        return
    person = people.create(
        session,
        email=one.email,
        given_name=one.given_name,
        family_name=one.family_name,
        locale=one.locale,
        now=now,
    )
    password.store(session, person_id=person.id, hash_=hash_, now=now)
    if one.totp_secret is not None:
        totp.begin(session, person_id=person.id, secret=one.totp_secret, now=now)
        # With the code before the current one, so that the current one can still sign in.
        before = now - timedelta(seconds=totp.STEP_SECONDS)
        code = pyotp.TOTP(one.totp_secret).at(before)
        totp.confirm(session, person_id=person.id, text=code, now=now)
