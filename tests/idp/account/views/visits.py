"""What tests of the account pages ask and do again and again."""

from datetime import UTC, datetime

from idp.sessions import service as sessions
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.visitor import NEW_PASSWORD, PASSWORD

ANNA = "anna@example.com"


def signed_in(visitor):
    with db.reading() as session:
        return sessions.find_by_secret(
            session, visitor.cookie(sessions.COOKIE), now=datetime.now(UTC)
        )


def events_of(person_id):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=person_chain(person_id))]


def change_password(visitor, current=PASSWORD, new=NEW_PASSWORD, **code):
    visitor.get("/account/password")
    return visitor.submit("/account/password", password=current, new_password=new, **code)
