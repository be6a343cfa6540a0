import pytest


@pytest.mark.product("TEN-9")
def test_the_menu_leads_to_profile_security_the_accounts_and_out(browser, provider):
    page = browser.get("/").text

    assert f'href="{provider.issuer}/account"' in page
    assert f'href="{provider.issuer}/account/security"' in page
    assert 'class="context-switch" href="/contexts"' in page
    assert 'action="/logout"' in page


def test_the_current_page_is_marked_in_the_menu(browser):
    page = browser.get("/applications").text

    marked = page.partition('aria-current="page"')
    assert marked[1]
    assert marked[2].partition("</a>")[0].find("Moje aplikacje") > 0


def test_who_is_not_signed_in_sees_no_menu(browser):
    browser.client.delete_cookie("klucznik_portal_session", domain="localhost")

    assert "person-menu" not in browser.get("/signed-out").text
