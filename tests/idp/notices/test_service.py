import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.mails.service import Recipient
from idp.not_me import links
from idp.not_me.models import NotMeLink
from idp.notices import service as notices
from idp.sessions.service import Whereabouts
from kernel.i18n.catalogs import package_folder
from tenants.database import db
from tenants.people import service as people
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import FIREFOX, a_person

ANNA = "anna@example.com"
FOLDER = package_folder("idp") / "templates" / "mail" / "notices"
NOTICES = sorted(path.stem for path in FOLDER.glob("*.html"))
CONTEXT = {"failures": 7, "remaining": 3, "passkey": "Laptop"}


def tell(person_id, notice, now, language="en"):
    with db.transaction() as session:
        notices.tell(
            session,
            notice,
            person_id=person_id,
            to=Recipient(ANNA, language),
            browser=a_browser(where=Whereabouts(FIREFOX, "192.0.2.7")),
            context=CONTEXT,
            now=now,
        )


@pytest.mark.product("ID-7")
@pytest.mark.security("2.8")
@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_carries_a_link_for_whoever_it_was_not(identity_app, now, mailroom, notice):
    person_id = a_person()

    tell(person_id, notice, now)

    mail = mailroom.to(ANNA)
    token = re.search(r"http://localhost:9000/not-me\?token=(\S+)", mail.text)[1]
    assert f"/not-me?token={token}" in mail.html
    assert "The link works for 7 days" in mail.text
    with db.reading() as session:
        link = links.find(session, token=token, now=now)
        assert session.scalars(select(NotMeLink)).one()
    assert (link.person_id, link.notice, link.added) == (person_id, notice, None)


@pytest.mark.product("ID-7")
def test_a_notice_says_when_with_what_and_where(identity_app, now, mailroom, monkeypatch):
    monkeypatch.setattr(
        "idp.mails.delivery.place_of", lambda _address, language: f"Kraków ({language})"
    )
    person_id = a_person()
    tell(person_id, "new_device", now)

    text = mailroom.to(ANNA).text

    assert "When: 1 Jun 2026, 14:00" in text
    assert "Browser: Firefox, Linux" in text
    assert "Place: Kraków (en)" in text
    assert "Network address: 192.0.2.7" in text


def test_times_are_in_the_time_zone_of_the_person(identity_app, now, mailroom):
    person_id = a_person()
    with db.transaction() as session:
        people.describe(
            session, person_id=person_id, values={"zoneinfo": "America/New_York"}, now=now
        )

    tell(person_id, "new_device", now)

    assert "When: 1 Jun 2026, 08:00" in mailroom.to(ANNA).text


@pytest.mark.security("2.8")
def test_no_notice_is_sent_past_the_one_way():
    senders = [
        str(path)
        for path in Path(package_folder("idp")).rglob("*.py")
        if "notices/" in path.read_text(encoding="utf-8")
    ]

    assert [path.removeprefix(str(package_folder("idp"))) for path in senders] == [
        "/notices/service.py"
    ]


def tell_and_fail(person_id, now):
    with db.transaction() as session:
        notices.tell(
            session,
            "new_device",
            person_id=person_id,
            to=Recipient(ANNA, "en"),
            browser=a_browser(),
            now=now,
        )
        raise ZeroDivisionError


@pytest.mark.security("18.3")
def test_a_notice_whose_cause_is_undone_is_not_sent(identity_app, now, mailroom):
    person_id = a_person()

    with pytest.raises(ZeroDivisionError):
        tell_and_fail(person_id, now)

    assert mailroom.deliver() == []
    with db.reading() as session:
        assert session.scalars(select(NotMeLink)).all() == []


@pytest.mark.security("3.11")
@pytest.mark.parametrize("notice", ["second_factor_failed", "many_failures", "passkey_went_back"])
def test_of_failures_five_an_hour_are_told(identity_app, now, mailroom, notice):
    anna, bert = a_person(), a_person("bert@example.com")

    for _ in range(8):
        tell(anna, notice, now)
    tell(bert, notice, now)
    tell(anna, "new_device", now)

    assert len(mailroom.deliver()) == 5 + 1 + 1
    tell(anna, notice, now + timedelta(hours=1))
    assert len(mailroom.deliver()) == 1


@pytest.mark.security("2.8")
def test_of_what_was_changed_each_is_told(identity_app, now, mailroom):
    anna = a_person()

    for _ in range(8):
        tell(anna, "passkey_added", now)

    assert len(mailroom.deliver()) == 8
