from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kernel import clock
from kernel.web import requires
from portal.database import db
from portal.sessions.models import AccessToken, ApplicationSession, Grant
from relying_party.guard import permission
from tests.relying_party.strict_provider import ACCOUNT, OTHER_ACCOUNT


def run_out() -> None:
    past = clock.now() - timedelta(seconds=1)
    with db.transaction() as session:
        session.execute(update(AccessToken).values(expires_at=past))
        session.execute(update(ApplicationSession).values(vouched_until=past))


@pytest.mark.security("12.1", "5.1")
@pytest.mark.parametrize(
    ("path", "return_to"),
    [
        ("/", "/"),
        ("/applications", "/applications"),
        ("/applications?a=b%20c&d=%2F", "/applications?a%3Db%2520c%26d%3D%252F"),
    ],
)
def test_a_stranger_is_sent_to_sign_in_and_comes_back(browser, path, return_to):
    response = browser.get(path)

    assert response.status_code == 303
    assert response.location == f"/login?return_to={return_to}"


@pytest.mark.security("12.1")
def test_a_strangers_form_changes_nothing(browser):
    page = browser.get("/signed-out")

    response = browser.submit(page, "/applications/crm/open")

    # Browsers would not follow a redirect from a form to the provider, so a page leads there.
    assert response.status_code == 401
    assert 'href="http://localhost:9001/login?return_to=/"' in response.text


@pytest.mark.security("5.1")
@pytest.mark.parametrize("cookie", ["", "made-up", "x" * 3000, "%00", "a;b"])
def test_a_made_up_cookie_opens_nothing(browser, cookie):
    browser.client.set_cookie("klucznik_portal_session", cookie, domain="localhost")

    assert browser.get("/").status_code == 303


@pytest.mark.security("11.2", "7.3")
def test_after_the_providers_word_is_over_it_is_asked_again(browser, provider):
    browser.sign_in()
    browser.get("/applications")
    assert provider.asked["/token"] == 1

    run_out()
    statuses = [browser.get("/applications").status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert provider.asked["/token"] == 2


@pytest.mark.product("OP-5")
@pytest.mark.security("11.2")
def test_a_session_that_the_provider_has_ended_ends_here(browser, provider):
    browser.sign_in()
    run_out()
    provider.token_failure = (400, b'{"error":"invalid_grant"}')

    response = browser.get("/")

    assert (response.status_code, response.location) == (303, "/login?return_to=/")
    with db.reading() as session:
        assert session.scalars(select(ApplicationSession.end_reason)).one() == "refused-by-provider"


@pytest.mark.security("17.3", "18.1")
def test_when_the_provider_is_silent_the_page_fails_closed_and_says_so(browser, provider):
    browser.sign_in()
    run_out()
    provider.token_failure = (503, b"")

    response = browser.get("/applications?a=b")

    assert response.status_code == 503
    assert 'data-code="identity_unreachable"' in response.text
    assert 'href="/applications?a=b"' in response.text
    assert response.headers["Retry-After"] == "5"
    assert "Anna" not in response.text


def test_when_the_provider_is_back_the_session_goes_on(browser, provider):
    browser.sign_in()
    run_out()
    provider.token_failure = (503, b"")
    browser.get("/")

    provider.token_failure = None
    with db.transaction() as session:
        session.execute(update(Grant).values(failed_at=clock.now() - timedelta(seconds=2)))

    assert browser.is_signed_in()


def test_while_the_providers_word_is_good_its_silence_does_not_matter(browser, provider):
    browser.sign_in()
    provider.stop()

    assert browser.is_signed_in()


@pytest.fixture
def shelf(app):
    """Where the page is, in each account, that takes the permission to read contacts."""
    app.add_url_rule(
        "/a/<context:context>/shelf",
        "shelf",
        requires(permission("contacts:read"))(lambda context: "the shelf"),
    )
    return lambda account: f"/a/{account}/shelf"


@pytest.mark.security("12.1", "12.6")
@pytest.mark.product("TEN-8")
@pytest.mark.parametrize(("account", "status"), [(ACCOUNT, 200), (OTHER_ACCOUNT, 403)])
def test_a_page_that_takes_a_permission_opens_where_the_person_has_it(
    shelf, browser, account, status
):
    browser.sign_in()
    browser.come_back(browser.begin(browser.get(shelf(account)).location))

    page = browser.get(shelf(account), headers={"Accept-Language": "en"})

    assert page.status_code == status
    assert ("the shelf" in page.text) == (status == 200)
    assert ("Your role here does not include this" in page.text) == (status == 403)
