import pytest

from crm.database import db
from crm.sessions.models import ApplicationSession


@pytest.mark.product("CRM-15")
def test_the_dashboard_says_honestly_that_nothing_waits(browser):
    page = browser.get("/").text

    assert "Pulpit" in page
    assert "Nic nie czeka" in page


def test_the_dashboard_says_who_is_signed_in_how_and_since_when(browser):
    page = browser.get("/").text

    with db.reading() as session:
        since = session.query(ApplicationSession).one().created_at
    assert "Anna Nowak" in page
    assert "anna@example.com" in page
    assert "dwa składniki" in page
    assert since.isoformat() in page


@pytest.mark.product("OPS-4")
def test_the_dashboard_speaks_english_too(browser):
    page = browser.get("/", headers={"Accept-Language": "en"}).text

    assert "Dashboard" in page
    assert "Nothing waits" in page
