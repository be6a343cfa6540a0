"""Two accounts in one session: each with a grant of its own, felt by the page that is open."""

import pytest
from sqlalchemy import select

from portal.database import db
from portal.sessions.models import ApplicationSession, Grant
from tests.relying_party.strict_provider import ACCOUNT, COMPANY, OTHER_ACCOUNT

HERE, THERE = f"/a/{ACCOUNT}", f"/a/{OTHER_ACCOUNT}"
PERMISSIONS = f"{HERE}/permissions"


def enter(browser, path):
    """Open a page in an account for the first time: to the provider and back, without a question."""
    sent_off = browser.get(path)
    assert sent_off.status_code == 303
    assert sent_off.location.startswith("/login?return_to=")
    came_back = browser.come_back(browser.begin(sent_off.location))
    assert came_back.location == path, came_back.text
    return browser.get(path)


def contexts():
    with db.reading() as session:
        return set(session.scalars(select(Grant.context)))


def run_out(context):
    """Let the provider's word for one context be over."""
    with db.transaction() as session:
        grant = session.scalars(select(Grant).where(Grant.context == context)).one()
        session.execute(Tokens.delete().where(Tokens.c.grant_id == grant.id))


Tokens = db.metadata.tables["access_tokens"]


@pytest.mark.product("TEN-9", "OP-3")
def test_two_tabs_work_in_two_accounts_of_one_session(browser):
    browser.sign_in()
    cookie = browser.client.get_cookie("klucznik_portal_session").value

    here, there = enter(browser, HERE), enter(browser, THERE)

    assert "Dom i Ogród" in here.text
    assert "Biuro Lis" in there.text
    assert "Dom i Ogród" in browser.get(HERE).text
    assert contexts() == {"", ACCOUNT, OTHER_ACCOUNT}
    # A switch changes the grant, not the session (SECURITY 5.3).
    assert browser.client.get_cookie("klucznik_portal_session").value == cookie
    with db.reading() as session:
        assert len(session.scalars(select(ApplicationSession)).all()) == 1


@pytest.mark.product("TEN-9")
def test_a_company_is_a_context_of_its_own(browser):
    browser.sign_in()

    page = enter(browser, f"/a/{ACCOUNT}/c/{COMPANY}")

    assert "Firma Sad" in page.text
    assert contexts() == {"", f"{ACCOUNT}/c/{COMPANY}"}


@pytest.mark.product("TEN-9")
def test_the_accounts_are_listed_with_their_companies_and_ids(browser):
    browser.sign_in()

    page = browser.get("/contexts").text

    assert page.index("Biuro Lis") < page.index("Dom i Ogród")
    assert ACCOUNT in page
    assert f'href="{HERE}"' in page
    assert f'href="/a/{ACCOUNT}/c/{COMPANY}"' in page


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("blocked", "Twój dostęp jest zablokowany."),
        ("suspended", "To konto firmy jest zawieszone"),
        ("client_of", "Ta firma ma Cię wśród swoich klientów."),
        ("without", "To konto firmy nie ma tej aplikacji."),
    ],
)
def test_an_account_that_can_not_be_opened_is_listed_with_the_reason(
    browser, provider, why, sentence
):
    if why == "without":
        provider.applications[ACCOUNT] = ["crm"]
    else:
        getattr(provider, why).add(ACCOUNT)
    browser.sign_in()

    page = browser.get("/contexts").text

    assert ACCOUNT in page
    assert f'href="{HERE}"' not in page
    assert sentence in page


def test_a_few_accounts_are_not_searched(browser):
    browser.sign_in()

    assert 'name="q"' not in browser.get("/contexts").text


@pytest.mark.product("TEN-9")
def test_many_accounts_are_searched_by_name_company_and_id(browser, provider):
    provider.accounts |= {
        f"{number:012x}": {"name": f"Firma {number}", "roles": [], "permissions": []}
        for number in range(9)
    }
    browser.sign_in()

    assert 'name="q"' in browser.get("/contexts").text
    for words in ("OGRÓD", ACCOUNT):
        found = browser.get("/contexts", query_string={"q": words}).text
        assert "Dom i Ogród" in found
        assert "Biuro Lis" not in found
    assert f"/a/{ACCOUNT}/c/{COMPANY}" in browser.get("/contexts?q=sad").text
    nothing = browser.get("/contexts?q=nothing").text
    assert 'href="/contexts">Wyczyść' in nothing


def test_who_was_added_and_has_not_accepted_is_led_to_where_they_can(browser, provider):
    provider.pending.add(ACCOUNT)
    browser.sign_in()

    page = browser.get("/contexts").text

    assert f'href="{HERE}"' not in page
    assert f'href="{provider.issuer}/account/invitations"' in page


def test_who_belongs_to_no_account_reads_what_would_be_here(browser, provider):
    provider.accounts.clear()
    browser.sign_in()

    page = browser.get("/contexts", headers={"Accept-Language": "en"}).text

    assert "You belong to no company account yet" in page
    assert 'href="http://localhost:9001/accounts/new"' in page


@pytest.mark.product("TEN-8")
def test_one_sees_what_one_may_do_in_the_language_one_reads(browser):
    browser.sign_in()
    enter(browser, HERE)

    assert "PL contacts:read" in browser.get(PERMISSIONS).text
    assert "EN contacts:read" in browser.get(PERMISSIONS, headers={"Accept-Language": "en"}).text


@pytest.mark.product("TEN-9")
def test_for_a_company_the_permissions_are_said_to_be_those_there(browser):
    browser.sign_in()
    enter(browser, f"{HERE}/c/{COMPANY}")

    page = browser.get(f"{HERE}/c/{COMPANY}/permissions").text

    assert "Dla firmy Firma Sad na koncie Dom i Ogród" in page


def test_an_application_in_which_one_may_do_nothing_is_left_out(browser):
    browser.sign_in()
    enter(browser, HERE)

    page = browser.get(PERMISSIONS).text

    assert ">CRM</h2>" in page
    assert ">PORTAL</h2>" not in page


@pytest.mark.product("OP-5")
def test_a_permission_that_was_taken_away_is_gone_when_the_provider_is_asked_again(
    browser, provider, party
):
    browser.sign_in()
    enter(browser, HERE)
    provider.accounts[ACCOUNT]["permissions"] = []
    run_out(ACCOUNT)

    assert "contacts:read" not in browser.get(PERMISSIONS).text


@pytest.mark.product("OP-5", "TEN-6")
def test_who_is_blocked_in_one_account_is_refused_there_and_works_on_elsewhere(browser, provider):
    browser.sign_in()
    enter(browser, HERE)
    enter(browser, THERE)
    provider.blocked.add(ACCOUNT)
    run_out(ACCOUNT)

    refused = browser.get(HERE, headers={"Accept-Language": "en"})

    assert refused.status_code == 403
    assert "You have no access to this account" in refused.text
    assert browser.get(THERE).status_code == 200
    assert browser.get("/").status_code == 200


def test_who_asks_for_an_account_that_is_not_theirs_is_told_so_after_the_provider_was_asked(
    browser, provider
):
    browser.sign_in()
    provider.blocked.add(ACCOUNT)

    answer = browser.come_back(browser.begin(browser.get(HERE).location))

    assert answer.status_code == 403
    assert browser.get("/").status_code == 200


@pytest.mark.product("OPS-4")
def test_a_refusal_is_read_in_the_language_of_the_person_whose_session_it_is(browser, provider):
    provider.person["locale"] = "pl"
    browser.sign_in()
    provider.blocked.add(ACCOUNT)
    callback = browser.begin(browser.get(HERE).location).partition("//")[2].partition("/")[2]

    answer = browser.get(f"/{callback}", headers={"Accept-Language": "en"})

    assert "Brak dostępu do tego konta firmy" in answer.text


def test_who_is_over_while_a_page_is_made_is_asked_to_sign_in(browser, provider):
    provider.entered["portal"] = ACCOUNT
    browser.sign_in()
    provider.blocked.add(ACCOUNT)

    # The session still stands here; what the page takes of the API does not.
    answer = browser.get("/contexts")

    assert answer.status_code == 303
    assert answer.location.startswith("/login?return_to=/contexts")


def test_a_provider_that_gives_another_account_than_was_asked_for_gives_nothing(browser, provider):
    browser.sign_in()
    callback = browser.begin(browser.get(HERE).location)
    for asked in provider.codes.values():
        asked["account"] = OTHER_ACCOUNT

    assert browser.come_back(callback).status_code == 400
    assert contexts() == {""}


@pytest.mark.security("11.1")
def test_another_person_who_signs_in_for_an_account_does_not_join_the_session(browser, provider):
    browser.sign_in()
    before = browser.client.get_cookie("klucznik_portal_session").value
    provider.person = provider.person | {"sub": "person-2", "name": "Jan Lis"}
    provider.sid = "sid-2"

    enter(browser, HERE)

    assert browser.client.get_cookie("klucznik_portal_session").value != before
    assert contexts() == {ACCOUNT}


def test_when_the_last_grant_is_over_the_session_is_too(browser, provider):
    provider.entered["portal"] = ACCOUNT
    browser.sign_in()
    assert contexts() == {ACCOUNT}
    provider.blocked.add(ACCOUNT)
    run_out(ACCOUNT)

    assert browser.get(HERE).location.startswith("/login")
    assert not browser.is_signed_in()


@pytest.mark.security("7.3")
def test_a_page_in_an_account_asks_the_provider_when_its_word_is_over(browser, provider):
    browser.sign_in()
    enter(browser, HERE)
    asked = provider.asked["/userinfo"]

    browser.get(HERE)
    assert provider.asked["/userinfo"] == asked
    run_out(ACCOUNT)
    browser.get(HERE)
    assert provider.asked["/userinfo"] == asked + 1


@pytest.mark.product("TEN-9")
def test_the_mark_leads_to_the_home_page_of_the_account_that_the_tab_is_in(browser):
    browser.sign_in()

    assert 'class="sidebar-brand" href="/"' in browser.get("/").text
    assert f'class="sidebar-brand" href="{HERE}"' in enter(browser, HERE).text
