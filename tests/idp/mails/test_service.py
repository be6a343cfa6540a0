import pytest

from idp.mails import service as mails
from idp.mails.service import Recipient
from tenants.database import db
from tenants.people import service as people
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"


def send(now, **more):
    with db.transaction() as session:
        mails.send(session, "not_me/locked", to=Recipient(ANNA, "en"), now=now, **more)


def test_a_mail_to_a_person_has_the_moments_of_their_time_zone(now, mailroom):
    person_id = a_person()
    with db.transaction() as session:
        people.describe(session, person_id=person_id, values={"zoneinfo": "Asia/Tokyo"}, now=now)

    send(now, person_id=person_id)

    assert "When: 1 Jun 2026, 21:00" in mailroom.to(ANNA).text


def test_a_mail_to_whom_we_do_not_know_has_those_of_the_installation(now, mailroom):
    send(now)

    assert "When: 1 Jun 2026, 14:00" in mailroom.to(ANNA).text


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(("chosen", "language"), [("pl", "pl"), (None, "en")])
def test_a_mail_is_in_the_language_of_its_reader_or_else_of_the_browser(now, chosen, language):
    with db.transaction() as session:
        person = people.create(session, email=ANNA, locale=chosen, now=now)

    assert Recipient.of(person, otherwise="en") == Recipient(ANNA, language)
