import pytest

from tests.relying_party.strict_provider import ACCOUNT, COMPANY

HERE = f"/a/{ACCOUNT}"


@pytest.mark.product("POR-1")
def test_the_list_says_what_each_application_is_for(browser):
    page = browser.get("/applications").text

    assert "Moje aplikacje" in page
    assert "Kontakty, umowy i odbiory w firmie deweloperskiej." in page


def test_opening_an_application_goes_there_through_a_page_of_ours(browser):
    """A redirect after a form would be stopped by the browser: the other origin is not ours."""
    response = browser.submit(browser.get("/applications"), "/applications/crm/open")

    assert response.status_code == 200
    assert 'href="http://localhost:9002/"' in response.text


def test_an_application_that_is_not_there_can_not_be_opened(browser):
    response = browser.submit(browser.get("/applications"), "/applications/unknown/open")

    assert response.status_code == 404


@pytest.mark.security("14.3")
def test_another_site_can_not_open_one(browser):
    assert browser.post("/applications/crm/open").status_code == 400
    assert browser.get("/applications/crm/open").status_code == 405


@pytest.mark.product("TEN-9")
@pytest.mark.parametrize("here", [HERE, f"{HERE}/c/{COMPANY}"])
def test_an_application_opens_in_the_account_that_the_tab_works_in(browser, here):
    browser.sign_in(f"/login?return_to={here}")

    assert f'href="{here}/applications"' in browser.get(here).text
    page = browser.get(f"{here}/applications")
    response = browser.submit(page, f"{here}/applications/crm/open")

    assert f'action="{here}/applications/crm/open"' in page.text
    assert f'href="http://localhost:9002{here}"' in response.text


@pytest.mark.product("TEN-17")
def test_what_the_account_does_not_have_is_not_opened(browser, provider):
    provider.applications[ACCOUNT] = ["portal"]
    browser.sign_in(f"/login?return_to={HERE}")

    page = browser.get(f"{HERE}/applications").text

    assert "Dom i Ogród nie ma tej aplikacji." in page
    assert "crm/open" not in page
