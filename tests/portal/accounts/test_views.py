"""Who has no account makes one; the identity program is played by the strict provider."""

import re

import pytest

from tests.relying_party.strict_provider import MADE

NEW = "/accounts/new"
MADE_HERE = f"/a/{MADE}"


def fields(page, **changes):
    """The form as a browser sends it."""
    key = re.search(r'name="key" value="([^"]+)"', page.text)[1]
    return {"name": "Dom i Ogród", "nip": "", "key": key} | changes


@pytest.mark.product("TEN-1")
def test_who_creates_an_account_goes_on_to_work_in_it(browser, provider):
    page = browser.get(NEW)

    response = browser.submit(page, NEW, **fields(page, is_accounting_office="y"))

    # Not a redirect: the way there goes by another origin, and it was a form that was sent.
    assert response.status_code == 200
    assert f'href="http://localhost:9001{MADE_HERE}"' in response.text
    browser.sign_in(f"/login?return_to={MADE_HERE}")
    home = browser.get(MADE_HERE)
    assert "Konto firmy Dom i Ogród jest gotowe." in home.text


@pytest.mark.product("TEN-1")
def test_a_form_that_is_sent_twice_makes_one_account(browser, provider):
    page = browser.get(NEW)

    for _ in range(2):
        assert MADE_HERE in browser.submit(page, NEW, **fields(page)).text

    assert len(provider.made) == 1


@pytest.mark.product("TEN-2")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("pl", "To nie jest NIP."), ("en", "This is not a tax number")],
)
def test_a_number_that_is_none_is_said_at_its_field(browser, provider, language, sentence):
    provider.person["locale"] = language
    browser.sign_in()
    page = browser.get(NEW)
    provider.refused_fields = {"nip"}

    answer = browser.submit(page, NEW, **fields(page, nip="123"))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="123"' in answer.text
    # What is sent next is another request.
    assert fields(answer)["key"] != fields(page)["key"]


def test_a_name_that_is_refused_is_said_at_its_field(browser, provider):
    page = browser.get(NEW)
    provider.refused_fields = {"name"}

    assert "Tej nazwy nie można użyć" in browser.submit(page, NEW, **fields(page)).text


def test_what_is_refused_otherwise_is_said_above(browser, provider):
    page = browser.get(NEW)
    provider.refused_fields = {"country"}

    assert "Konto firmy nie powstało." in browser.submit(page, NEW, **fields(page)).text


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_without_a_name_nothing_is_asked(browser, provider, name):
    page = browser.get(NEW)

    assert browser.submit(page, NEW, **fields(page, name=name)).status_code == 422
    assert provider.asked["/api/v1/accounts"] == 0


@pytest.mark.parametrize("key", ["", "short", "x" * 30 + "\r\nX: y"])
def test_a_form_that_is_not_ours_makes_nothing(browser, provider, key):
    page = browser.get(NEW)

    assert browser.submit(page, NEW, **fields(page, key=key)).status_code == 422
    assert provider.asked["/api/v1/accounts"] == 0


def test_who_has_made_many_is_asked_to_wait(browser, provider):
    page = browser.get(NEW)
    provider.makes_accounts = False

    assert "Spróbuj ponownie później." in browser.submit(page, NEW, **fields(page)).text


@pytest.mark.security("14.3")
def test_another_site_can_not_create_one(browser, provider):
    assert browser.post(NEW, {"name": "Dom i Ogród"}).status_code == 400
    assert provider.asked["/api/v1/accounts"] == 0
