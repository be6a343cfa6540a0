import pytest


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
