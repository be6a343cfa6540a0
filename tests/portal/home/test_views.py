import pytest

from tests.relying_party.strict_provider import ACCOUNT, OTHER_ACCOUNT


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


@pytest.mark.product("TEN-1")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("pl", "Nie masz jeszcze żadnego konta firmy"),
        ("en", "You belong to no company account yet"),
    ],
)
def test_who_has_no_account_is_offered_to_make_one(browser, provider, language, sentence):
    provider.accounts.clear()

    page = browser.get("/", headers={"Accept-Language": language}).text

    assert sentence in page
    assert 'href="http://localhost:9001/accounts/new"' in page
    # An administrator has to be told which address to add.
    assert "anna@example.com" in page.partition("<main")[2]


@pytest.mark.product("TEN-1", "TEN-9")
def test_home_leads_into_each_account_and_says_what_one_is_a_client_of(browser, provider):
    provider.client_of.add(OTHER_ACCOUNT)

    page = browser.get("/").text

    assert f'href="/a/{ACCOUNT}"' in page
    assert f'href="/a/{OTHER_ACCOUNT}"' not in page
    assert "Ta firma ma Cię wśród swoich klientów." in page


def test_home_names_some_accounts_and_leads_to_all(browser, provider):
    provider.accounts |= {
        f"{number:012x}": {"name": f"Firma {number}", "roles": [], "permissions": []}
        for number in range(9)
    }

    page = browser.get("/").text

    assert "Wszystkie konta firm (11)" in page
    assert page.count("Pracuj tutaj") == 5


def test_home_is_there_when_the_accounts_are_not_told(browser, provider):
    browser.get("/")
    provider.about_me = lambda path, token: {"items": "?"}

    page = browser.get("/")

    assert page.status_code == 200
    assert "Szybki dostęp" in page.text
    assert "Pracuj tutaj" not in page.text
