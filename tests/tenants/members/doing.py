"""Use cases of members, each in a transaction of its own."""

from tenants.database import db
from tenants.members import service as members
from tenants.people import service as people
from tests.tenants import making
from tests.tenants.acting import membership

EMAIL = "anna@example.com"


def do(office, what, *args, **kwargs):
    """One use case in the account's own transaction."""
    with db.transaction(tenant=office.id) as session:
        return what(session, office.id, *args, **kwargs)


def add(office, actor, now, email=EMAIL, **more):
    return do(office, members.add, email=email, actor=actor, now=now, **more)


def person_of(email):
    with db.reading() as session:
        return people.find_by_email(session, email)


def an_id(email=EMAIL):
    return making.a_person(email)


def version_of(office, member):
    return membership(office.id, member).version
