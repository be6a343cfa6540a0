"""OIDC.md 4 and 5: what an authorization request may hold, and what comes back."""

import json
import math
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from idp.keys import service as keys
from idp.protocol import acr, jwt
from kernel import clock
from tests.conformance.application import (
    CALLBACK,
    CHALLENGE,
    Application,
    answer_of,
    claims_of,
    tokens_of,
)
from tests.conformance.provider import Guest, Person, Provider

LONG_STATE = "aZ09-._~" * 16
QUERY_CALLBACK = f"{CALLBACK}?tenant=a%20b&x="
_ONLY_IN_ERRORS = {"error", "error_description", "error_uri", "state", "iss", "session_state"}
_PRINTABLE = {chr(code) for code in (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F))}


def error_of(guest: Guest, url: str) -> dict[str, str]:
    """The error with which an application gets its request back, in the form that all have."""
    answer = answer_of(guest.open(url))
    assert "error" in answer, answer
    assert set(answer) <= _ONLY_IN_ERRORS
    assert set(answer["error"] + answer.get("error_description", "")) <= _PRINTABLE
    return answer


def auth_time(application: Application, guest: Guest, **changes: Any) -> int:
    """When the person signed in, as the ID token of a new request says."""
    tokens = application.tokens(guest.goes_to(application.url(**changes)))
    found: int = application.id_token(tokens)["auth_time"]
    return found


# -- 4: the request


@pytest.mark.product("OP-1")
@pytest.mark.security("20.2")
@pytest.mark.parametrize("method", ["get", "post"])
def test_get_and_post_mean_the_same(application: Application, newcomer: Guest, method: str):
    """OIDC.md 4: GET with query and POST with form body."""
    if method == "get":
        page = newcomer.goes_to(application.url())
    else:
        reply = newcomer.http.post(
            f"{application.issuer}/authorize",
            data=application.query(),
            headers={"Origin": "https://app.example"},
            timeout=60,
        )
        page = newcomer.goes_to(reply.url)

    assert application.id_token(application.tokens(page))["sub"] == str(newcomer.person.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": "foobar"},
        {"scope": "email openid"},
        {"display": "page"},
        {"display": "popup"},
        {"login_hint": "buffy@example.com"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"acr_values": " ".join(acr.LOWEST_FIRST)},
        {"claims": json.dumps({"userinfo": {"name": {"essential": True}, "unheard_of": None}})},
        {"scope": "openid unheard_of"},
        {"max_age": "15000"},
    ],
)
def test_what_needs_nothing_more_succeeds_at_once(
    application: Application, guest: Guest, changes: dict[str, Any]
):
    """OIDC.md 4: order, unknown parameters, display, hints, locales, acr_values, claims."""
    page = guest.open(application.url(**changes))

    assert application.id_token(application.tokens(page))["acr"] in acr.LOWEST_FIRST


@pytest.mark.security("6.1")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        *("https://evil.example/callback", f"{CALLBACK}?added=1", f"{CALLBACK}/", f"{CALLBACK}#x"),
        *("HTTPS://app.example/callback", "https://app.example:443/callback", "", None),
        *('https://app.example/"', "https://app.example/ż", "javascript:alert(1)"),
    ],
)
@pytest.mark.parametrize("others", [{}, {"prompt": "none"}, {"response_type": "nonsense"}])
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    application: Application, guest: Guest, redirect_uri: str | None, others: dict[str, str]
):
    """OIDC.md 0: 2, OIDC.md 4: unregistered redirect_uri, whatever else the request holds."""
    page = guest.open(application.url(redirect_uri=redirect_uri, **others))

    assert page.status == 400
    assert page.url.startswith(application.issuer)
    assert "redirect_uri" in page.text


def test_with_two_registered_addresses_one_has_to_be_named(provider: Provider, guest: Guest):
    """OIDC.md 4: redirect_uri missing."""
    application = provider.application(redirect_uris=(CALLBACK, "https://app.example/other"))

    assert guest.open(application.url(redirect_uri=None)).status == 400


def test_a_registered_query_is_matched_as_a_whole_and_kept(provider: Provider, guest: Guest):
    """OIDC.md 4 and 5: query-OK, query-mismatch, query-added."""
    application = provider.application(redirect_uris=(QUERY_CALLBACK,), first_party=True)

    good = guest.open(application.url(redirect_uri=QUERY_CALLBACK))
    for other in (CALLBACK, f"{CALLBACK}?tenant=b&x=", f"{QUERY_CALLBACK}&y=1"):
        assert guest.open(application.url(redirect_uri=other)).status == 400

    assert good.url.startswith(f"{QUERY_CALLBACK}&code=")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "żółw"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "Login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
        ({"id_token_hint": "not.a.token"}, "invalid_request"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"scope": 'open"id'}, "invalid_scope"),
        ({"nonce": "n" * 501}, "invalid_request"),
        ({"prompt": ["none", "none"]}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("response_mode", [None, "form_post"])
def test_the_application_is_told_what_is_wrong(
    application: Application,
    guest: Guest,
    changes: dict[str, Any],
    error: str,
    response_mode: str | None,
):
    """OIDC.md 0: 1 and 5, OIDC.md 4, OIDC.md 5: errors, with `state` and `iss`, by form too."""
    asked = {"state": LONG_STATE, "response_mode": response_mode} | changes

    answer = error_of(guest, application.url(**asked))

    assert answer["error"] == error
    assert answer["state"] == LONG_STATE
    assert answer["iss"] == application.issuer


def test_pkce_is_asked_of_standard_clients_only(
    application: Application, legacy: Application, newcomer: Guest
):
    """SECURITY.md 6.4, and what `legacy` is let off."""
    without = {"code_challenge": None, "code_challenge_method": None}

    assert error_of(newcomer, application.url(**without))["error"] == "invalid_request"
    page = newcomer.goes_to(legacy.url(**without))
    assert legacy.id_token(legacy.tokens(page, code_verifier=None))


def test_a_challenge_that_was_not_needed_is_enforced(legacy: Application, newcomer: Guest):
    """OIDC.md 4: PKCE from a client that needs none."""
    newcomer.goes_to(legacy.url())
    for verifier in (None, "another-verifier-that-has-more-than-enough-characters"):
        reply = legacy.redeem(newcomer.open(legacy.url()), code_verifier=verifier)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")

    good = newcomer.open(legacy.url(code_challenge=CHALLENGE))

    assert legacy.tokens(good)


def test_no_nonce_sent_means_none_in_the_id_token(application: Application, guest: Guest):
    """OIDC.md 4 and 6: nonce."""
    tokens = application.tokens(guest.open(application.url(nonce=None)))

    assert "nonce" not in application.id_token(tokens, nonce=None)


def test_the_page_speaks_the_language_that_the_application_asks_for(
    application: Application, newcomer: Guest
):
    """OIDC.md 4: ui_locales, over more than one page; what we don't speak is passed over."""
    polish = newcomer.open(application.url(ui_locales="de pl"))
    form = polish.form_with("email")
    assert form is not None
    password = newcomer.submit(polish, form, email=newcomer.person.email)
    english = newcomer.open(application.url(ui_locales="se"))

    assert '<html lang="pl"' in polish.text
    assert '<html lang="pl"' in password.text
    assert '<html lang="en"' in english.text


@pytest.mark.product("OP-1")
def test_a_login_hint_stands_in_the_form(application: Application, newcomer: Guest):
    """OIDC.md 4: login_hint."""
    page = newcomer.open(application.url(login_hint="buffy@example.com"))

    assert "buffy@example.com" in page.text


# -- 4: prompt


@pytest.mark.product("OP-1")
def test_prompt_login_asks_again_and_moves_auth_time(application: Application, newcomer: Guest):
    """OIDC.md 0: 4, OIDC.md 4: prompt=login."""
    first = auth_time(application, newcomer)
    time.sleep(1.1)

    second = auth_time(application, newcomer, prompt="login")

    assert newcomer.seen[0] in {"email", "password"}
    assert second > first


@pytest.mark.product("OP-1")
def test_prompt_select_account_asks_who_it_is(application: Application, newcomer: Guest):
    """OIDC.md 4: documented in docs/divergences.md: it is answered by signing in again."""
    newcomer.goes_to(application.url())

    page = newcomer.open(application.url(prompt="select_account"))

    assert page.form_with("email") is not None


def test_prompt_none_needs_somebody_signed_in(application: Application, newcomer: Guest):
    """OIDC.md 4: prompt=none, nobody logged in."""
    answer = error_of(newcomer, application.url(prompt="none"))

    assert answer["error"] == "login_required"
    assert answer["state"] == "a state"


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("hinted", [False, True])
def test_prompt_none_succeeds_silently_and_says_the_same(
    application: Application, guest: Guest, hinted: bool
):
    """OIDC.md 0: 3, OIDC.md 4: prompt=none, logged in; id-token-hint."""
    tokens = application.tokens(guest.open(application.url()))
    before = application.id_token(tokens)
    hint = {"id_token_hint": tokens["id_token"]} if hinted else {}

    page = guest.open(application.url(prompt="none", **hint))

    after = application.id_token(application.tokens(page))
    assert [after[name] for name in ("sub", "auth_time")] == [
        before[name] for name in ("sub", "auth_time")
    ]


def test_prompt_none_asks_for_no_consent(provider: Provider, guest: Guest):
    """OIDC.md 0: 3: what was never allowed is no silent success; once allowed, it is."""
    stranger = provider.application()

    assert error_of(guest, stranger.url(prompt="none"))["error"] == "consent_required"
    guest.goes_to(stranger.url())
    assert "code" in answer_of(guest.open(stranger.url(prompt="none")))
    wider = error_of(guest, stranger.url(prompt="none", scope="openid email"))
    assert wider["error"] == "consent_required"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_age": "0"}, "login_required"),
        ({"acr_values": acr.TWO_FACTOR}, "interaction_required"),
    ],
)
def test_prompt_none_is_told_what_is_missing(
    application: Application, guest: Guest, changes: dict[str, str], error: str
):
    """OIDC.md 4: prompt=none with more than the session has."""
    assert error_of(guest, application.url(prompt="none", **changes))["error"] == error


def test_prompt_none_with_the_hint_of_another_person(
    application: Application, guest: Guest, newcomer: Guest
):
    """OIDC.md 4: id_token_hint."""
    of_another = application.tokens(newcomer.goes_to(application.url()))["id_token"]

    answer = error_of(guest, application.url(prompt="none", id_token_hint=of_another))

    assert answer["error"] == "login_required"


def test_a_hint_may_have_expired_but_not_be_somebody_elses(
    provider: Provider, application: Application, keyed: Application, guest: Guest
):
    """OIDC.md 4: check signature and issuer, not `exp`."""
    token = application.tokens(guest.open(application.url()))["id_token"]
    with provider.app.app_context():
        long_ago = int((clock.now() - timedelta(days=3)).timestamp())
        claims = claims_of(token) | {"iat": long_ago, "exp": long_ago + 60}
        key = keys.signing_key("RS256", now=clock.now())
        expired = jwt.sign(claims, key, typ="JWT")
        foreign = jwt.sign(claims | {"aud": keyed.id}, key, typ="JWT")

    good = guest.open(application.url(prompt="none", id_token_hint=expired))
    refused = error_of(guest, application.url(prompt="none", id_token_hint=foreign))

    assert "code" in answer_of(good)
    assert refused["error"] == "invalid_request"


def test_prompt_consent_asks_although_it_is_known(application: Application, newcomer: Guest):
    """OIDC.md 4: prompt=consent, sent with offline_access."""
    scope = "openid offline_access"
    newcomer.goes_to(application.url(scope=scope))

    page = newcomer.goes_to(application.url(scope=scope, prompt="consent"))

    assert newcomer.seen == ["consent"]
    assert "refresh_token" in application.tokens(page)


def test_who_refuses_sends_the_application_an_error(provider: Provider, guest: Guest):
    """OIDC.md 5: errors after pages."""
    page = guest.open(provider.application().url(state=LONG_STATE))
    form = next(form for form in page.forms if "/consent" in form.action)

    answer = answer_of(guest.submit(page, form, answer="refuse"))

    assert (answer["error"], answer["state"]) == ("access_denied", LONG_STATE)


# -- 4: max_age and acr_values


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("max_age", ["1", "0"])
def test_an_elapsed_max_age_asks_again(application: Application, newcomer: Guest, max_age: str):
    """OIDC.md 4: max_age=1, two seconds later; 0 is always elapsed."""
    first = auth_time(application, newcomer)
    time.sleep(2.1 if max_age == "1" else 1.1)

    second = auth_time(application, newcomer, max_age=max_age)

    assert newcomer.seen
    assert first < second <= time.time()


def test_a_max_age_that_has_not_elapsed_asks_nothing(application: Application, guest: Guest):
    """OIDC.md 4: max_age=15000, then 10000."""
    first = auth_time(application, guest, max_age="15000")
    second = auth_time(application, guest, max_age="10000")

    assert (first, guest.seen) == (second, [])


@pytest.mark.product("ID-6")
@pytest.mark.security("4.9")
def test_a_stronger_sign_in_is_asked_for_and_reported(provider: Provider, application: Application):
    """OIDC.md 4 and 6: acr_values with TOTP."""
    person = provider.person(with_totp=True)
    guest = Guest(provider, person)

    page = guest.goes_to(application.url(acr_values=acr.TWO_FACTOR))

    claims = application.id_token(application.tokens(page))
    assert guest.seen == ["email", "password", "code", "consent"]
    assert claims["acr"] == acr.TWO_FACTOR
    assert {"pwd", "otp", "mfa"} <= set(claims["amr"])


@pytest.mark.product("ID-6")
def test_a_mailed_code_is_never_reported_as_more(application: Application, newcomer: Guest):
    """OIDC.md 4: acr_values with a mail code; SECURITY.md 4.4."""
    page = newcomer.goes_to(application.url(acr_values=acr.MAIL_CODE))
    claims = application.id_token(application.tokens(page))
    more = newcomer.open(application.url(acr_values=acr.TWO_FACTOR))

    assert claims["acr"] == acr.MAIL_CODE
    assert more.url.startswith(f"{application.issuer}/account/authenticator")


@pytest.mark.product("ID-6")
def test_a_step_up_asks_for_the_code_alone(provider: Provider, application: Application):
    """SECURITY.md 4.9: a remembered device is no second factor for who asks for one."""
    guest = Guest(provider, provider.person(with_totp=True))
    guest.goes_to(application.url())
    low = application.tokens(guest.goes_to(application.url(prompt="login")))

    page = guest.open(application.url(acr_values=acr.TWO_FACTOR))

    assert application.id_token(low)["acr"] == acr.SINGLE_FACTOR
    assert page.form_with("code") is not None
    assert page.form_with("password") is None


# -- 5: the response


@pytest.mark.product("OP-1")
@pytest.mark.security("6.6")
@pytest.mark.parametrize("state", [None, "0123456789", LONG_STATE, "żółw & co+ %41"])
@pytest.mark.parametrize("response_mode", [None, "query", "form_post"])
def test_state_goes_back_byte_for_byte_or_not_at_all(
    application: Application, guest: Guest, state: str | None, response_mode: str | None
):
    """OIDC.md 0: 5, OIDC.md 5: success carries code, state and iss, and nothing else."""
    answer = answer_of(guest.open(application.url(state=state, response_mode=response_mode)))

    assert set(answer) == {"code", "iss"} | ({"state"} if state is not None else set())
    assert answer.get("state") == state
    assert answer["iss"] == application.issuer


@pytest.mark.security("6.3")
def test_form_post_is_a_page_that_posts_itself(application: Application, guest: Guest):
    """OIDC.md 5: response_mode=form_post; a button where no script runs."""
    page = guest.open(application.url(response_mode="form_post"))

    [form] = [form for form in page.forms if form.action == CALLBACK]
    assert (page.status, form.method) == (200, "post")
    assert 'type="submit"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.example" in policy
    assert "unsafe-inline" not in policy
    assert application.tokens(page)


@pytest.mark.parametrize("answer", ["allow", "refuse"])
def test_form_post_also_ends_what_went_over_pages(provider: Provider, guest: Guest, answer: str):
    """OIDC.md 5 and 13: success and error responses, with pages of ours in between."""
    application = provider.application()
    page = guest.open(application.url(response_mode="form_post", state=LONG_STATE))
    form = next(form for form in page.forms if "/consent" in form.action)

    found = answer_of(guest.submit(page, form, answer=answer))

    assert found["state"] == LONG_STATE
    assert ("code" in found, found.get("error")) in {(True, None), (False, "access_denied")}


@pytest.mark.security("6.5")
def test_codes_and_tokens_can_not_be_guessed(application: Application, guest: Guest):
    """OIDC.md 5: at least 16 characters and more than 96 bits of entropy."""
    page = guest.open(application.url(scope="openid offline_access"))
    tokens = application.tokens(page)

    for text in (answer_of(page)["code"], tokens["access_token"], tokens["refresh_token"]):
        counts = Counter(text).values()
        bits = -sum(count * math.log2(count / len(text)) for count in counts)
        assert len(text) >= 16
        assert bits > 96


def test_answers_are_kept_by_nobody(application: Application, guest: Guest):
    """SECURITY.md 5.7, 6.9."""
    reply = guest.http.get(application.url(), allow_redirects=False, timeout=60)

    assert reply.status_code == 303
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_consent_is_not_asked_twice_in_another_browser(
    provider: Provider, application: Application, anna: Person, guest: Guest
):
    """OIDC.md 0: 3: remembered for client, scopes and person."""
    other = Guest(provider, anna)

    page = other.goes_to(application.url(scope="openid email"))

    assert "consent" not in other.seen
    assert tokens_of(application.redeem(page))
