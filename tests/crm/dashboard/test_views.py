import pytest

from crm.database import db
from crm.sessions.models import ApplicationSession, Grant
from tests.relying_party.strict_provider import ACCOUNT

DASHBOARD = f"/a/{ACCOUNT}"


@pytest.mark.product("CRM-15")
def test_the_dashboard_says_honestly_that_nothing_waits(browser):
    page = browser.get(DASHBOARD).text

    assert "Pulpit" in page
    assert "Nic nie czeka" in page


def test_the_dashboard_says_who_is_signed_in_how_and_since_when(browser):
    page = browser.get(DASHBOARD).text

    with db.reading() as session:
        since = session.query(ApplicationSession).one().created_at
    assert "Anna Nowak" in page
    assert "anna@example.com" in page
    assert "dwa składniki" in page
    assert since.isoformat() in page


@pytest.mark.product("OPS-4")
def test_the_dashboard_speaks_english_too(browser):
    page = browser.get(DASHBOARD, headers={"Accept-Language": "en"}).text

    assert "Dashboard" in page
    assert "Nothing waits" in page


@pytest.mark.product("TEN-9")
def test_the_first_page_is_that_of_the_account_that_was_worked_in_last(browser):
    assert browser.get("/").location == DASHBOARD


@pytest.mark.product("TEN-9")
def test_who_has_no_account_is_sent_to_choose_one(browser):
    with db.transaction() as session:
        session.query(Grant).update({"context": ""})

    assert browser.get("/").location == "/contexts"
