"""The welcome link: whoever reads the mailbox sets a password with it, in any browser, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import return_address, service
from idp.access.activation import enter
from idp.access.models import FirstAccess
from idp.access.service import HasOwnAccess, How
from idp.credentials import mailed_link, password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse_to
from idp.credentials.password import Problem
from idp.sessions.browser import Browser
from idp.sign_in.completion import Cookies
from kernel.errors import NotFound, Refused
from kernel.limits import Refusal, Window
from tenants.database import db
from tenants.limits import limits
from tenants.people import service as people
from tenants.people.service import PersonSummary

LINKS_FROM_PLACE = Window("welcome:place", limit=30, every=timedelta(hours=1))


class LinkSpent(Refused):
    """The link was used, is over, was replaced by a newer one, or never was."""

    reason = "link_spent"


@dataclass(frozen=True)
class Entered:
    """Signed in; and where to go on to, where there is an application."""

    cookies: Cookies
    return_to: str | None


def ask(token: str, *, now: datetime) -> str:
    """For whose ID a password is set with this link; spends nothing. Raises LinkSpent."""
    with db.reading() as session:
        return _person(session, token, now).email


def choose(token: str, new_password: str, *, browser: Browser, now: datetime) -> Entered | Problem:
    """Spend the link, set the person's own password and sign them in.

    A password that is refused spends nothing. Raises LinkSpent, Locked, Overloaded.
    """
    with db.reading() as session:
        person = _person(session, token, now)
    problem = why_refuse_to(person, new_password)
    if problem is not None:
        return problem
    own = hashing().hash(password.normalised(new_password))
    with db.transaction() as session:
        proof = mailed_link.redeem(session, token=token, purpose=Purpose.WELCOME, now=now)
        if proof is None:
            raise LinkSpent("another request was faster")
        if not password.store_first(session, person_id=person.id, hash_=own, now=now):
            raise LinkSpent("there is a password already")
        cookies = enter(session, person, how=How.WELCOME_LINK, browser=browser, now=now)
        return Entered(cookies, _goal(session, person))


def send_again(token: str, *, browser: Browser, now: datetime) -> None:
    """Mail a fresh link to whom this one was mailed, if they have no own password yet.

    The answer is the same whatever happens: the truth goes to the mailbox.
    """
    with db.transaction() as session:
        place = limits.take_in(session, key=browser.where.place, policy=LINKS_FROM_PLACE, now=now)
        email = mailed_link.recipient_of(session, token=token, purpose=Purpose.WELCOME)
        person = people.find_by_email(session, email)
    if isinstance(place, Refusal) or person is None:
        return
    try:
        service.send_again(person.id, by=str(person.id), now=now)
    except (HasOwnAccess, NotFound):
        return


def _person(session: Session, token: str, now: datetime) -> PersonSummary:
    email = mailed_link.recipient_of(session, token=token, purpose=Purpose.WELCOME)
    is_open = mailed_link.is_open(session, token=token, purpose=Purpose.WELCOME, now=now)
    person = people.find_by_email(session, email)
    if not is_open or person is None or not person.is_active:
        raise LinkSpent("used, over, superseded, or nobody's")
    return person


def _goal(session: Session, person: PersonSummary) -> str | None:
    """Where the person was promised to get, if it is still one of our applications."""
    url = session.scalars(
        select(FirstAccess.return_to).where(FirstAccess.person_id == person.id)
    ).one_or_none()
    return url if url is not None and return_address.is_good(session, url) else None
