"""From /authorize over the page of accounts to tokens that name the context."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.protocol import acr
from idp.sessions.models import BrowserSession
from kernel import clock
from tenants.database import db
from tenants.members.models import Membership
from tests.idp.contexts.walking import Walker, introspect, tokens_of, told, userinfo
from tests.idp.provider import a_browser, an_app, answer_of, claims_of, trade
from tests.tenants.making import (
    a_client,
    a_company,
    a_member,
    a_person,
    a_role,
    an_account,
    an_application,
    assign,
    change_account,
    change_member,
    change_role,
)


@pytest.mark.product("OP-3")
def test_one_account_is_chosen_silently_and_named_in_every_token(browser, app, account):
    tokens = tokens_of(browser, app, browser.ask(app, scope="openid offline_access"))

    expected = {"tenant_id": account.id, "roles": ["Sprzedaż"], "permissions": ["contacts:read"]}
    access = claims_of(tokens["access_token"])
    assert {name: access[name] for name in expected} == expected
    assert "company_id" not in access
    assert claims_of(tokens["id_token"])["tenant_id"] == account.id
    told = userinfo(browser, tokens["access_token"]).get_json()
    assert told.items() >= expected.items()
    # What to call the account is for whoever shows it, and in no token.
    assert told["tenant_name"] == "Zielony Dom"
    assert "tenant_name" not in access
    assert introspect(browser, app, tokens["access_token"]).items() >= expected.items()
    refresh = introspect(browser, app, tokens["refresh_token"])
    assert refresh["tenant_id"] == account.id


def test_an_application_without_accounts_gets_no_context(browser, account):
    app = an_app(first_party=True)

    tokens = tokens_of(browser, app, browser.ask(app))

    assert not {"tenant_id", "roles", "permissions"} & claims_of(tokens["access_token"]).keys()
    assert "tenant_id" not in userinfo(browser, tokens["access_token"]).get_json()


@pytest.mark.product("OP-3")
def test_an_application_that_needs_no_context_may_ask_for_one(browser, account, anna):
    an_application("portal", context="none", for_every_account=True, audience="https://p.example")
    app = an_app(first_party=True, application="portal")

    plain = tokens_of(browser, app, browser.ask(app))
    named = tokens_of(browser, app, browser.ask(app, account=account.id))

    assert "tenant_id" not in claims_of(plain["access_token"])
    assert claims_of(named["access_token"])["tenant_id"] == account.id


@pytest.mark.product("OP-3")
def test_where_there_are_several_the_person_picks_one(identity_app, browser, app, account, anna):
    other = an_account("Biuro Żak", applications=["crm"])
    a_member(other.id, anna, roles=[other.admin_role])
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"])
    assert walker.path.startswith("/context?")
    assert "Zielony Dom" in walker.words
    walker.submit("/context", account=other.id)

    claims = claims_of(tokens_of(browser, app, walker.response)["access_token"])
    assert claims["tenant_id"] == other.id
    assert claims["roles"] == ["admin"]
    assert claims["permissions"] == ["contacts:read", "contacts:write"]


def test_the_account_that_was_used_last_comes_first(identity_app, browser, app, account, anna):
    other = an_account("Biuro Żak", applications=["crm"])
    a_member(other.id, anna)
    walker = Walker(identity_app, browser)
    walker.get(browser.ask(app).headers["Location"])
    before = walker.words
    walker.submit("/context", account=account.id)

    walker.get(browser.ask(app).headers["Location"])

    assert before.index("Biuro Żak") < before.index("Zielony Dom")
    assert walker.words.index("Zielony Dom") < walker.words.index("Biuro Żak")
    assert "Used last" in walker.words


def test_only_accounts_that_are_open_to_the_person_are_offered(
    identity_app, browser, app, account, anna
):
    an_account("Foreign", applications=["crm"])
    for name, state in (("Blocked", "blocked"), ("Second", "active")):
        a_member(an_account(name, applications=["crm"]).id, anna, state=state)
    a_member(an_account("Without").id, anna)
    a_member(an_account("Pending without").id, anna, state="pending")
    a_member(an_account("Closed", status="closed", applications=["crm"]).id, anna)
    a_client(an_account("As client", applications=["crm"]).id, anna)
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"])

    assert "Second" in walker.words
    hidden = ("Foreign", "Pending", "Blocked", "Without", "Closed", "As client")
    assert [name for name in hidden if name in walker.words] == []


def test_who_has_no_account_is_told_so_and_can_go_back(identity_app, browser, app):
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"])
    assert "No company account for CRM" in walker.words
    # The portal is where an account can be made, and where those are that one has.
    assert 'href="http://localhost:9001/contexts"' in walker.response.text
    walker.submit("/context", answer="refused")

    assert told(walker.response)["error"] == "access_denied"


@pytest.mark.product("OP-3")
def test_where_the_application_needs_a_company_that_is_chosen_after_the_account(
    identity_app, browser, anna, crm
):
    an_application("ksef", context="company", audience="https://ksef.example")
    app = an_app(first_party=True, application="ksef")
    accounts = [an_account(name, applications=["ksef"]) for name in ("First", "Second")]
    for made in accounts:
        role = a_role(made.id)
        company = a_company(made.id, f"Company of {made.id}")
        a_member(made.id, anna, roles=[(role, company), (role, made.main_company)])
    foreign = a_company(accounts[1].id, "No role there")
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"]).submit("/context", account=accounts[1].id)
    offered = walker.words
    walker.submit("/context", company=foreign)
    again = walker.words
    walker.submit("/context", company=accounts[1].main_company)

    assert f"Company of {accounts[1].id}" in offered
    assert "No role there" not in offered
    assert again == offered
    claims = claims_of(tokens_of(browser, app, walker.response)["access_token"])
    assert (claims["tenant_id"], claims["company_id"]) == (
        accounts[1].id,
        accounts[1].main_company,
    )


def test_one_company_is_chosen_silently_and_without_any_the_page_says_so(
    identity_app, browser, anna, crm
):
    an_application("ksef", context="company", audience="https://ksef.example")
    app = an_app(first_party=True, application="ksef")
    account = an_account(applications=["ksef"])
    member = a_member(account.id, anna)
    walker = Walker(identity_app, browser)
    walker.get(browser.ask(app, account=account.id).headers["Location"])
    without = walker.words

    assign(account.id, member, a_role(account.id), account.main_company)
    tokens = tokens_of(browser, app, browser.ask(app))

    assert "No company in Zielony Dom" in without
    assert claims_of(tokens["access_token"])["company_id"] == account.main_company


def test_many_accounts_can_be_searched(identity_app, browser, app, account, anna):
    for number in range(55):
        a_member(an_account(f"Firm {number:02}", applications=["crm"]).id, anna)
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"])
    all_words = walker.words
    walker.get(f"/context?flow={walker.flow}&q=firm+54")
    found = walker.words
    walker.get(f"/context?flow={walker.flow}&q=nothing+like+it")

    assert "Firm 54" not in all_words
    assert "There are more" in all_words
    assert "Name of the account" in all_words
    assert "Firm 54" in found
    assert "Firm 53" not in found
    assert "Nothing found" in walker.words


@pytest.mark.product("OP-3", "TEN-9")
def test_another_account_needs_no_password(browser, app, account, anna):
    other = an_account("Second", applications=["crm"])
    a_member(other.id, anna)

    first = tokens_of(browser, app, browser.ask(app, account=account.id))
    second = tokens_of(browser, app, browser.ask(app, account=other.id, prompt="none"))

    assert claims_of(first["access_token"])["tenant_id"] == account.id
    assert claims_of(second["access_token"])["tenant_id"] == other.id


@pytest.mark.product("OP-3")
@pytest.mark.security("5.3")
def test_two_contexts_live_side_by_side_on_one_session(browser, app, account, anna):
    other = an_account("Second", applications=["crm"])
    member = a_member(other.id, anna)
    ask = {"scope": "openid offline_access"}
    first = tokens_of(browser, app, browser.ask(app, account=account.id, **ask))
    second = tokens_of(browser, app, browser.ask(app, account=other.id, **ask))

    change_member(other.id, member, state="blocked")

    refreshed = trade(browser.client, app, "refresh_token", refresh_token=first["refresh_token"])
    refused = trade(browser.client, app, "refresh_token", refresh_token=second["refresh_token"])
    assert claims_of(refreshed.get_json()["access_token"])["tenant_id"] == account.id
    assert refused.get_json()["error"] == "invalid_grant"


@pytest.mark.product("TEN-17")
@pytest.mark.security("13.6")
def test_what_is_not_there_and_what_is_foreign_are_refused_alike(
    identity_app, browser, app, account, anna
):
    foreign = an_account("Foreign", applications=["crm"])
    without = an_account("Without")
    a_member(without.id, anna)
    as_client = an_account("As client", applications=["crm"])
    a_client(as_client.id, anna)
    archived = a_company(account.id, archived_at=clock.now())
    asked = [
        {"account": "0" * 12},
        {"account": foreign.id},
        {"account": without.id},
        {"account": as_client.id},
        {"account": account.id, "company": "0" * 16},
        {"account": account.id, "company": foreign.main_company},
        {"account": account.id, "company": archived},
    ]

    for more in ({}, {"prompt": "none"}):
        answers = [browser.ask(app, **named, **more) for named in asked]

        assert len({answer.get_data() for answer in answers}) == 1
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert answer_of(answers[0])["error"] == "access_denied"


def test_before_somebody_signed_in_nothing_is_said_of_any_account(identity_app, app, account):
    stranger = a_browser(identity_app)

    known = stranger.ask(app, account=account.id)
    unknown = stranger.ask(app, account="0" * 12)
    silent = [stranger.ask(app, account=one, prompt="none") for one in (account.id, "0" * 12)]

    assert [urlsplit(one.headers["Location"]).path for one in (known, unknown)] == ["/sign-in"] * 2
    assert [answer_of(one)["error"] for one in silent] == ["login_required"] * 2


@pytest.mark.parametrize(
    "named",
    [
        {"account": "ABCDEF012345"},
        {"account": "12345"},
        {"company": "0" * 16},
        {"account": "0" * 12, "company": "0" * 12},
        {"account": "0" * 12 + "\n"},
    ],
)
def test_a_malformed_context_is_an_invalid_request(browser, app, named):
    assert answer_of(browser.ask(app, **named))["error"] == "invalid_request"


def test_a_client_that_knows_no_accounts_may_name_none(browser, account):
    app = an_app(first_party=True)

    assert answer_of(browser.ask(app, account=account.id))["error"] == "invalid_request"


@pytest.mark.product("OP-3")
def test_prompt_none_never_picks_an_account(browser, app, account, anna):
    alone = browser.ask(app, prompt="none")
    a_member(an_account(applications=["crm"]).id, anna)

    several = browser.ask(app, prompt="none")

    assert "code" in answer_of(alone)
    assert answer_of(several)["error"] == "interaction_required"


def test_a_third_party_asks_for_consent_after_the_context(
    identity_app, browser, crm, account, anna
):
    app = an_app(application="crm")
    walker = Walker(identity_app, browser)
    a_member(an_account(applications=["crm"]).id, anna)

    walker.get(browser.ask(app).headers["Location"])
    first = walker.path
    walker.submit("/context", account=account.id)
    second = walker.path
    walker.submit("/consent", answer="allow")

    assert first.startswith("/context?")
    assert second.startswith("/consent?")
    tokens = tokens_of(browser, app, walker.response)
    assert claims_of(tokens["access_token"])["tenant_id"] == account.id


@pytest.mark.security("6.11")
def test_the_page_of_another_browser_is_of_no_use(identity_app, browser, app, account, anna):
    a_member(an_account(applications=["crm"]).id, anna)
    address = browser.ask(app).headers["Location"]
    other = a_browser(identity_app, person_id=anna)

    assert other.client.get(address).status_code == 400


def test_what_somebody_else_chose_in_the_same_browser_does_not_count(
    identity_app, browser, app, account, anna
):
    other = an_account(applications=["crm"])
    a_member(other.id, anna)
    walker = Walker(identity_app, browser)
    walker.get(browser.ask(app).headers["Location"])

    walker.submit("/context", account=other.id, person=str(a_person()))

    assert walker.path.startswith("/context?")


@pytest.mark.product("ID-6")
@pytest.mark.security("4.9")
@pytest.mark.parametrize("by", ["account", "role"])
def test_an_account_or_a_role_can_ask_for_more_than_a_code_by_mail(identity_app, app, anna, by):
    made = an_account(applications=["crm"])
    role = a_role(made.id)
    a_member(made.id, anna, roles=[role])
    if by == "account":
        change_account(made.id, second_factor="strong")
    else:
        change_role(made.id, role, second_factor="strong")
    weak = a_browser(identity_app, person_id=anna, acr=acr.MAIL_CODE, amr=["pwd", "mca"])
    strong = a_browser(identity_app, person_id=anna)

    page = weak.ask(app, account=made.id)
    silent = weak.ask(app, account=made.id, prompt="none")

    # Anna has neither an app nor a passkey yet: she is asked to add one.
    assert urlsplit(page.headers["Location"]).path == "/account/authenticator"
    assert answer_of(silent)["error"] == "interaction_required"
    tokens = tokens_of(strong, app, strong.ask(app, account=made.id))
    assert claims_of(tokens["access_token"])["acr"] == acr.TWO_FACTOR


@pytest.mark.security("5.4")
def test_an_account_says_how_old_a_sign_in_may_be(identity_app, app, anna):
    made = an_account(applications=["crm"], sign_in_hours=8)
    relaxed = an_account(applications=["crm"])
    for one in (made, relaxed):
        a_member(one.id, anna)
    browser = a_browser(identity_app, person_id=anna)
    with db.transaction() as session:
        nine_hours_ago = clock.now() - timedelta(hours=9)
        session.get_one(BrowserSession, browser.session_id).auth_time = nine_hours_ago

    old = browser.ask(app, account=made.id)
    silent = browser.ask(app, account=made.id, prompt="none")
    elsewhere = browser.ask(app, account=relaxed.id)

    assert urlsplit(old.headers["Location"]).path == "/sign-in"
    assert answer_of(silent)["error"] == "login_required"
    assert "code" in answer_of(elsewhere)


def test_who_was_signed_out_of_an_account_signs_in_again(identity_app, app, anna):
    made = an_account(applications=["crm"])
    member = a_member(made.id, anna)
    browser = a_browser(identity_app, person_id=anna)
    change_member(made.id, member, signed_out_at=clock.now())

    asked = browser.ask(app, account=made.id)

    assert urlsplit(asked.headers["Location"]).path == "/sign-in"
    assert parse_qs(urlsplit(asked.headers["Location"]).query)["flow"]


@pytest.mark.product("TEN-6")
def test_who_was_added_accepts_on_the_page_and_goes_on(identity_app, browser, app, account, anna):
    new = an_account("New", applications=["crm"])
    member = a_member(new.id, anna, state="pending", accepted_at=None)
    walker = Walker(identity_app, browser)

    silent = browser.ask(app, prompt="none")
    walker.get(browser.ask(app).headers["Location"])
    page = walker.words
    walker.submit("/context", accept=new.id)

    assert claims_of(tokens_of(browser, app, silent)["access_token"])["tenant_id"] == account.id
    assert "New has added you as a user" in page
    claims = claims_of(tokens_of(browser, app, walker.response)["access_token"])
    assert claims["tenant_id"] == new.id
    with db.reading(tenant=new.id) as session:
        assert session.get_one(Membership, (new.id, member)).state == "active"


@pytest.mark.product("TEN-6")
def test_who_declines_is_in_the_account_no_more(identity_app, browser, app, account, anna):
    new = an_account("New", applications=["crm"])
    member = a_member(new.id, anna, state="pending", accepted_at=None)
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"]).submit("/context", decline=new.id)

    claims = claims_of(tokens_of(browser, app, walker.response)["access_token"])
    assert claims["tenant_id"] == account.id
    with db.reading(tenant=new.id) as session:
        assert session.get(Membership, (new.id, member)) is None


def test_nobody_leaves_an_account_in_which_they_are_at_work(
    identity_app, browser, app, account, anna
):
    other = an_account("Other", applications=["crm"])
    member = a_member(other.id, anna)
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(app).headers["Location"]).submit("/context", decline=other.id)

    with db.reading(tenant=other.id) as session:
        assert session.get_one(Membership, (other.id, member)).state == "active"


def test_an_account_that_was_named_and_waits_is_asked_about_alone(
    identity_app, browser, app, account, anna
):
    new = an_account("New", applications=["crm"])
    a_member(new.id, anna, state="pending", accepted_at=None)
    walker = Walker(identity_app, browser)

    silent = browser.ask(app, account=new.id, prompt="none")
    walker.get(browser.ask(app, account=new.id).headers["Location"])
    page = walker.words
    walker.submit("/context", accept=new.id)

    assert answer_of(silent)["error"] == "interaction_required"
    assert "Zielony Dom" not in page
    claims = claims_of(tokens_of(browser, app, walker.response)["access_token"])
    assert claims["tenant_id"] == new.id


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "fields",
    [
        {"account": "x" * 5_000},
        {"account": "\x00"},
        {"company": "ż" * 16},
        {"accept": "0" * 12},
        {"decline": "x"},
        {"answer": "x"},
        {},
    ],
)
def test_what_nobody_offered_is_asked_about_again(
    identity_app, browser, app, account, anna, fields
):
    a_member(an_account(applications=["crm"]).id, anna)
    walker = Walker(identity_app, browser)
    walker.get(browser.ask(app).headers["Location"])

    answer = walker.post(walker.form("/context").action, person=str(anna), **fields)

    assert answer.status_code in {303, 400}
    assert walker.get(f"/authorize?flow={walker.flow}").path.startswith("/context?")
