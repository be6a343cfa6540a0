import pytest


@pytest.mark.product("POR-1")
def test_home_offers_quick_access_in_three_groups(browser):
    page = browser.get("/").text

    for text in ("Strona główna", "Szybki dostęp", "Aplikacje", "Moje konto", "Centrum wsparcia"):
        assert text in page


@pytest.mark.product("POR-1")
def test_recently_used_applications_are_missed_in_words(browser):
    assert "Brak ostatnio używanych aplikacji" in browser.get("/").text


@pytest.mark.product("POR-1")
def test_an_application_that_was_opened_is_listed(browser):
    browser.submit(browser.get("/applications"), "/applications/crm/open")

    page = browser.get("/").text

    assert "Brak ostatnio używanych aplikacji" not in page
    assert "Ostatnie otwarcie:" in page
    assert 'action="/applications/crm/open"' in page


@pytest.mark.product("POR-1")
def test_the_menu_at_the_top_right_leads_to_profile_security_language_and_out(browser, provider):
    page = browser.get("/").text

    assert f'href="{provider.issuer}/account"' in page
    assert f'href="{provider.issuer}/account/security"' in page
    assert 'name="language"' in page
    assert 'action="/logout"' in page
    assert "Anna Nowak" in page
    assert "anna@example.com" in page


@pytest.mark.product("OPS-4")
def test_home_speaks_english_too(browser):
    page = browser.get("/", headers={"Accept-Language": "en"}).text

    assert "Quick access" in page
    assert "Szybki dostęp" not in page


@pytest.mark.security("14.1")
def test_a_name_is_text_and_nothing_else(browser, provider):
    provider.person["name"] = "<script>alert(1)</script>"
    browser.sign_in()

    page = browser.get("/").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
