from datetime import timedelta

import pytest

from relying_party.sessions import current
from relying_party.sessions.service import SignedIn
from tests.conftest import NOON


def a_person(**changes) -> SignedIn:
    facts = {
        "session_id": None,
        "issuer": "https://id.example",
        "subject": "p-1",
        "email": None,
        "name": None,
        "locale": "en",
        "zoneinfo": "America/New_York",
        "acr": None,
        "amr": (),
        "auth_time": NOON,
        "signed_in_at": NOON,
        "vouched_until": NOON + timedelta(minutes=5),
    }
    return SignedIn(**facts | changes)


def test_a_view_that_requires_a_session_knows_who_asks(app):
    with app.test_request_context():
        current.remember(a_person())

        assert current.signed_in().subject == "p-1"
        assert current.person_language() == "en"
        assert current.person_time_zone() == "America/New_York"


def test_one_request_does_not_know_who_asked_the_one_before(app):
    with app.test_request_context():
        current.remember(a_person())

    with app.test_request_context():
        assert current.signed_in_or_none() is None
        assert current.person_language() is None
        assert current.person_time_zone() is None
        with pytest.raises(LookupError):
            current.signed_in()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", None, "../etc/passwd"])
def test_a_time_zone_that_we_do_not_know_is_passed_over(app, zone):
    with app.test_request_context():
        current.remember(a_person(zoneinfo=zone))

        assert current.person_time_zone() is None


@pytest.mark.product("OPS-4")
def test_the_persons_own_language_is_spoken(browser, provider):
    provider.person["locale"] = "en"
    browser.sign_in()

    page = browser.get("/", headers={"Accept-Language": "pl"})

    assert "Quick access" in page.text
    assert '<html lang="en"' in page.text
