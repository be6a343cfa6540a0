import pytest

from tests.relying_party.strict_provider import ACCOUNT


@pytest.mark.product("TEN-9")
def test_the_menu_leads_to_profile_security_and_the_other_applications(browser, provider):
    page = browser.get(f"/a/{ACCOUNT}").text

    assert f'href="{provider.issuer}/account"' in page
    assert f'href="{provider.issuer}/account/security"' in page
    assert 'href="http://localhost:9001/"' in page
    assert 'action="/logout"' in page


def test_who_is_not_signed_in_sees_no_menu(browser):
    browser.client.delete_cookie("klucznik_crm_session", domain="localhost")

    assert "person-menu" not in browser.get("/signed-out").text


@pytest.mark.product("TEN-9")
def test_the_mark_and_the_title_are_those_of_the_account(browser):
    page = browser.get(f"/a/{ACCOUNT}").text

    assert f'class="sidebar-brand" href="/a/{ACCOUNT}"' in page
    assert "<title>Pulpit · Dom i Ogród · CRM · Klucznik</title>" in page
