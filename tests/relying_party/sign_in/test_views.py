from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import select

from portal.database import db
from portal.sessions.models import AccessToken, ApplicationSession, Grant, SignInAttempt
from tests.relying_party.browsers import Browser


def with_parameters(callback: str, **changes: str | None) -> str:
    parts = urlsplit(callback)
    found = dict(parse_qsl(parts.query)) | changes
    query = urlencode({name: value for name, value in found.items() if value is not None})
    return f"{parts.path}?{query}"


def sessions() -> list[ApplicationSession]:
    with db.reading() as session:
        return list(session.scalars(select(ApplicationSession)))


@pytest.mark.product("OP-1")
@pytest.mark.security("11.1")
def test_signing_in_ends_on_the_page_that_was_asked_for(browser):
    stranger = browser.get("/applications?from=mail")

    response = browser.sign_in(stranger.location)

    assert response.location == "/applications?from=mail"
    assert browser.get(response.location).status_code == 200


@pytest.mark.security("11.1")
def test_the_request_carries_pkce_state_and_nonce_and_no_secret(browser):
    asked = parse_qs(urlsplit(browser.get("/login").location).query)

    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost:9001/callback"]
    assert asked["client_id"] == ["portal"]
    assert {"state", "nonce", "code_challenge", "scope", "resource"} <= set(asked)
    assert not {"code_verifier", "client_secret", "client_assertion"} & set(asked)


@pytest.mark.security("11.1", "5.1")
def test_the_browser_never_sees_a_token(browser, provider):
    response = browser.sign_in()
    page = browser.get("/")

    seen = f"{response.headers}{page.headers}{page.text}"
    held = [*provider.access_tokens, *provider.refresh_tokens]

    assert held
    assert not [token for token in held if token in seen]
    assert not [
        cookie
        for cookie in browser.client._cookies.values()
        if "." in cookie.value[:40] and cookie.key == "klucznik_portal_session"
    ]


@pytest.mark.security("11.1", "5.1")
def test_tokens_and_secrets_are_not_legible_in_the_database(browser, provider):
    browser.sign_in()

    with db.reading() as session:
        stored = b"".join(
            [
                *session.scalars(select(AccessToken.token)),
                *session.scalars(select(Grant.refresh_token)),
                *session.scalars(select(ApplicationSession.id_token)),
                *session.scalars(select(ApplicationSession.secret_hash)),
                *session.scalars(select(SignInAttempt.code_verifier)),
            ]
        )
    cookie = browser.client.get_cookie("klucznik_portal_session", domain="localhost")

    secrets = [*provider.access_tokens, *provider.refresh_tokens, cookie.value]
    secrets += [request.get("code_verifier", "") for request in provider.token_requests]
    assert not [secret for secret in secrets if secret.encode() in stored]


@pytest.mark.security("5.2")
def test_the_session_cookie_is_locked_to_this_program(browser):
    response = browser.sign_in()

    cookie = next(
        header
        for header in response.headers.getlist("Set-Cookie")
        if header.startswith("klucznik_portal_session=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.security("5.3")
def test_each_sign_in_has_a_session_of_its_own_and_ends_the_one_before(browser):
    browser.sign_in()
    first = browser.client.get_cookie("klucznik_portal_session", domain="localhost").value

    browser.sign_in()
    second = browser.client.get_cookie("klucznik_portal_session", domain="localhost").value

    assert first != second
    assert sorted(one.ended_at is None for one in sessions()) == [False, True]
    browser.client.set_cookie("klucznik_portal_session", first, domain="localhost")
    assert not browser.is_signed_in()


@pytest.mark.security("11.2")
def test_a_person_is_known_by_issuer_and_subject_not_by_address(browser, provider):
    browser.sign_in()
    provider.person["email"] = "somebody.else@example.com"
    Browser(browser.app, provider).sign_in()

    assert {(one.issuer, one.subject) for one in sessions()} == {(provider.issuer, "person-1")}
    assert {one.email for one in sessions()} == {"anna@example.com", "somebody.else@example.com"}


def test_two_tabs_sign_in_at_once(browser):
    one, other = browser.begin("/login?return_to=/applications"), browser.begin()

    responses = [browser.come_back(other), browser.come_back(one)]

    assert [response.location for response in responses] == ["/", "/applications"]


@pytest.mark.security("11.1")
def test_an_answer_is_taken_once(browser):
    callback = browser.begin()
    browser.come_back(callback)

    again = browser.come_back(callback)

    assert again.status_code == 400
    assert 'data-code="sign_in_expired"' in again.text


@pytest.mark.security("11.1", "6.11")
def test_an_answer_is_worth_nothing_in_another_browser(browser, provider):
    callback = browser.begin()
    victim = Browser(browser.app, provider)
    victim.get("/login")

    response = victim.come_back(callback)

    assert response.status_code == 400
    assert not victim.is_signed_in()
    assert sessions() == []


@pytest.mark.security("11.1")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "made-up"}, "sign_in_expired"),
        ({"state": None}, "sign_in_failed"),
        ({"iss": "http://another.example"}, "sign_in_failed"),
        ({"iss": None}, "sign_in_failed"),
        ({"code": "made-up"}, "sign_in_failed"),
        ({"code": None}, "sign_in_failed"),
        ({"code": None, "error": "access_denied"}, "sign_in_declined"),
        ({"code": None, "error": "login_required"}, "sign_in_declined"),
        ({"error": "access_denied"}, "sign_in_failed"),
    ],
)
def test_an_altered_answer_signs_nobody_in(browser, changes, code):
    callback = with_parameters(browser.begin(), **changes)

    response = browser.come_back(callback)

    assert response.status_code == 400
    assert f'data-code="{code}"' in response.text
    assert sessions() == []
    assert not browser.is_signed_in()


@pytest.mark.security("6.8")
@pytest.mark.parametrize("name", ["state", "iss", "code"])
def test_a_parameter_that_comes_twice_is_refused(browser, name):
    callback = browser.begin()

    response = browser.come_back(f"{callback}&{name}=second")

    assert response.status_code == 400
    assert sessions() == []


@pytest.mark.security("11.1", "8.1", "8.4")
@pytest.mark.parametrize(
    "change",
    [
        {"iss": "http://another.example"},
        {"aud": "crm"},
        {"aud": ["portal", "crm"]},
        {"azp": "crm"},
        {"sub": None},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"exp": 1},
        {"iat": 1},
        {"auth_time": "yesterday"},
        {"amr": "pwd"},
        {"sid": ["a"]},
    ],
)
def test_an_id_token_with_a_wrong_claim_signs_nobody_in(browser, provider, change):
    def alter(claims):
        claims |= change
        for name in [name for name, value in change.items() if value is None]:
            del claims[name]

    provider.change_claims = alter

    response = browser.come_back(browser.begin())

    assert response.status_code == 400
    assert sessions() == []


@pytest.mark.security("8.1", "8.2", "8.4")
@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"kid": "unknown"},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
    ],
)
def test_an_id_token_with_a_wrong_header_signs_nobody_in(browser, provider, change):
    provider.change_header = lambda header: header.update(change)

    response = browser.come_back(browser.begin())

    assert response.status_code == 400
    assert sessions() == []


@pytest.mark.security("8.2")
def test_a_key_that_the_token_brings_along_is_not_looked_at(browser, provider):
    from_elsewhere = type(provider.key).generate_key("P-256", {"kid": "key-1"})
    provider.sign_with = from_elsewhere
    provider.change_header = lambda header: header.update(jwk=from_elsewhere.as_dict(private=False))

    response = browser.come_back(browser.begin())

    assert response.status_code == 400


@pytest.mark.security("11.1")
def test_userinfo_about_somebody_else_signs_nobody_in(browser, provider):
    provider.change_userinfo = lambda told: told.update(sub="person-2")

    response = browser.come_back(browser.begin())

    assert response.status_code == 400
    assert sessions() == []


@pytest.mark.product("OP-2")
def test_a_key_that_is_new_at_the_provider_is_fetched(browser, provider):
    browser.sign_in()
    provider.sign_with = type(provider.key).generate_key("P-256", {"kid": "key-2"})
    provider.published.append(provider.sign_with)
    party = browser.app.extensions["klucznik.relying_party"]
    # The cool-down is over, as it is when keys are published ahead of their use.
    party.provider._copy = None

    browser.sign_in()

    assert browser.is_signed_in()


@pytest.mark.security("11.3")
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "/%0d%0aLocation:/x",
        "",
        "account",
    ],
)
def test_after_signing_in_one_stays_on_this_site(browser, target):
    response = browser.sign_in(f"/login?{urlencode({'return_to': target})}")

    assert response.location.startswith("/")
    assert not response.location.startswith(("//", "/\\"))
    assert "\r" not in response.location


@pytest.mark.security("18.1")
@pytest.mark.parametrize(
    "failure",
    [
        (500, b""),
        (200, b"not json"),
        (200, b"[]"),
        (200, b'{"access_token":"a"}'),
        (302, b"{}"),
    ],
)
def test_a_broken_token_endpoint_gives_a_clear_page(browser, provider, failure):
    provider.token_failure = failure

    response = browser.come_back(browser.begin())

    assert response.status_code == 503
    assert 'data-code="identity_unreachable"' in response.text
    assert response.headers["Retry-After"]
    assert "refresh" not in response.headers
    assert 'http-equiv="refresh"' not in response.text
    assert sessions() == []


def test_a_provider_that_is_gone_gives_a_clear_page(browser, provider):
    provider.stop()

    response = browser.get("/login")

    assert response.status_code == 503
    assert 'data-code="identity_unreachable"' in response.text
    assert 'href="/login"' in response.text


def test_a_cancelled_sign_in_says_so(browser):
    callback = with_parameters(browser.begin(), code=None, error="access_denied")

    response = browser.come_back(callback)

    assert "Logowanie przerwane" in response.text


@pytest.mark.security("5.7")
def test_answers_are_not_kept_by_caches(browser):
    response = browser.sign_in()

    for each in (response, browser.get("/"), browser.get("/login")):
        assert each.headers["Cache-Control"] == "no-store"
        assert "Cookie" in each.headers["Vary"]


@pytest.mark.security("9.3", "11.2")
def test_a_logout_that_overtakes_the_sign_in_wins(browser, provider):
    callback = browser.begin()
    browser.post("/backchannel-logout", {"logout_token": provider.logout_token(sub=None)})

    response = browser.come_back(callback)

    assert response.status_code == 400
    assert sessions() == []


def test_the_language_of_the_page_goes_along(browser):
    browser.get("/login")
    asked = parse_qs(
        urlsplit(browser.get("/login", headers={"Accept-Language": "en"}).location).query
    )

    assert asked["ui_locales"] == ["en"]


def test_a_session_remembers_what_the_provider_said_of_it(browser):
    browser.sign_in()

    (session,) = sessions()
    assert session.acr == "urn:klucznik:acr:two-factor"
    assert session.amr == ["pwd", "otp", "mfa"]
    assert session.sid == "sid-1"
    assert session.auth_time < datetime.now(UTC)
