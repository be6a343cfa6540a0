from datetime import timedelta

import pytest

from idp.sessions import devices
from idp.sessions.service import Whereabouts
from tenants.database import db
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")

HERE = Whereabouts(user_agent="Firefox", address="192.0.2.1")


def recognise(person_id, now, secret=None, remember=False):
    with db.transaction() as session:
        return devices.recognise(
            session, person_id=person_id, secret=secret, remember=remember, where=HERE, now=now
        )


def find(person_id, secret):
    with db.reading() as session:
        return devices.find(session, person_id=person_id, secret=secret)


def test_a_browser_is_recognised_by_the_secret_that_it_was_given(now):
    person_id = a_person()

    first = recognise(person_id, now)
    second = recognise(person_id, now, first.secret)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.id == second.id == find(person_id, first.secret).id


def test_a_browser_that_two_people_use_has_a_row_for_each(now):
    anna, bert = a_person(), a_person("bert@example.com")

    first = recognise(anna, now, remember=True)
    second = recognise(bert, now, first.secret)

    assert first.secret == second.secret
    assert first.id != second.id
    assert find(anna, first.secret).is_remembered(now)
    assert not find(bert, first.secret).is_remembered(now)


@pytest.mark.security("4.7")
def test_a_device_is_remembered_for_thirty_days_at_most(now):
    person_id = a_person()
    secret = recognise(person_id, now, remember=True).secret

    assert find(person_id, secret).is_remembered(now + timedelta(days=29, hours=23))
    assert not find(person_id, secret).is_remembered(now + timedelta(days=30))


@pytest.mark.security("4.7")
def test_signing_in_does_not_prolong_what_is_remembered(now):
    person_id = a_person()
    secret = recognise(person_id, now, remember=True).secret

    recognise(person_id, now + timedelta(days=20), secret)

    assert not find(person_id, secret).is_remembered(now + timedelta(days=31))


@pytest.mark.security("4.7")
def test_a_forgotten_device_is_still_known_and_asked_for_a_code(now):
    person_id = a_person()
    secret = recognise(person_id, now, remember=True).secret

    with db.transaction() as session:
        count = devices.forget(session, person_id=person_id, now=now)

    assert count == 1
    assert find(person_id, secret) is not None
    assert not find(person_id, secret).is_remembered(now)


def test_one_device_is_forgotten_and_others_stay(now):
    person_id = a_person()
    one, other = (recognise(person_id, now, remember=True) for _ in range(2))

    with db.transaction() as session:
        devices.forget(session, person_id=person_id, device_id=one.id, now=now)
        listed = devices.remembered(session, person_id=person_id, now=now)

    assert [each.id for each in listed] == [other.id]


def test_no_secret_finds_no_device(now):
    assert find(a_person(), None) is None


def test_the_first_device_of_a_person_is_told_from_later_ones(now):
    person_id = a_person()

    answers = []
    for _ in range(2):
        device = recognise(person_id, now)
        with db.reading() as session:
            answers.append(devices.knows_another(session, person_id=person_id, than=device.id))

    assert answers == [False, True]


@pytest.mark.security("4.7")
def test_a_cookie_that_we_did_not_sign_is_nobodys(identity_app):
    client = identity_app.test_client()
    client.set_cookie(devices.COOKIE, "made-up.signature")

    with client:
        client.get("/robots.txt")
        assert devices.secret_of_this_browser() is None


@pytest.mark.security("4.7")
@pytest.mark.security("5.8")
def test_the_cookie_that_we_gave_is_read_back(identity_app):
    with identity_app.test_request_context("/"):
        response = identity_app.make_response("")
        devices.give_cookie(response, "secret")
        cookie = response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    with identity_app.test_request_context("/", headers={"Cookie": f"{devices.COOKIE}={cookie}"}):
        assert devices.secret_of_this_browser() == "secret"
