from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.database import db
from portal.profiles import service as profiles
from portal.profiles.models import Profile
from relying_party.sign_in.service import Entry

ISSUER = "https://id.example"


def enter(now, subject="p-1", issuer=ISSUER):
    with db.transaction() as session:
        profiles.enter(session, Entry(issuer, subject, now))


def found(subject="p-1"):
    with db.reading() as session:
        return profiles.find(session, issuer=ISSUER, subject=subject)


@pytest.mark.product("POR-1")
def test_the_first_entry_makes_the_profile(app, now):
    assert found() is None

    enter(now)
    enter(now + timedelta(days=1))

    profile = found()
    assert profile.first_entered_at == now
    assert profile.last_entered_at == now + timedelta(days=1)


@pytest.mark.product("POR-1")
def test_signing_in_is_the_entry(browser):
    with db.reading() as session:
        profile = session.scalars(select(Profile)).one()

    assert profile.subject == "person-1"


@pytest.mark.security("11.2")
def test_the_same_subject_of_another_issuer_is_another_person(app, now):
    enter(now)
    enter(now, issuer="https://other.example")

    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Profile)) == 2


@pytest.mark.security("15.2")
def test_first_entries_at_once_make_one_profile(app, now):
    def act(_):
        with app.app_context():
            enter(now)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(act, range(20)))

    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Profile)) == 1
