from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from portal.applications import recent
from portal.applications.catalogue import Application, applications
from portal.applications.models import RecentUse
from portal.database import db
from portal.profiles import service as profiles
from portal.settings import PortalSettings
from relying_party.sessions.service import SignedIn
from relying_party.sign_in.service import Entry
from tests.conftest import NOON

SETTINGS = PortalSettings()
(CRM,) = applications(SETTINGS)
ISSUER = "https://id.example"


def a_person(subject="p-1") -> SignedIn:
    return SignedIn(uuid4(), ISSUER, subject, None, None, None, None, None, (), NOON, NOON, NOON)


@pytest.fixture
def person(app):
    with db.transaction() as session:
        profiles.enter(session, Entry(ISSUER, "p-1", NOON))
        profiles.enter(session, Entry(ISSUER, "p-2", NOON))
    return a_person()


@pytest.mark.product("POR-1")
def test_what_is_opened_is_remembered_once_with_its_last_time(person, now):
    later = now + timedelta(hours=1)
    recent.note(CRM, by=person, now=now)
    recent.note(CRM, by=person, now=later)

    (used,) = recent.used_by(person, SETTINGS)

    assert (used.application.key, used.at) == ("crm", later)


def test_nobody_sees_what_others_opened(person, now):
    recent.note(CRM, by=person, now=now)

    assert recent.used_by(a_person("p-2"), SETTINGS) == []


def test_somebody_without_a_profile_has_opened_nothing(person, now):
    recent.note(CRM, by=a_person("p-3"), now=now)

    assert recent.used_by(a_person("p-3"), SETTINGS) == []


def test_an_application_that_is_gone_is_left_out(person, now):
    recent.note(Application("gone", "Gone", "", "", ""), by=person, now=now)

    assert recent.used_by(person, SETTINGS) == []


@pytest.mark.security("15.2")
def test_opening_in_many_tabs_at_once_makes_one_row(app, person, now):
    def open_one(_):
        with app.app_context():
            recent.note(CRM, by=person, now=now)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(open_one, range(20)))

    with db.reading() as session:
        assert session.query(RecentUse).count() == 1
