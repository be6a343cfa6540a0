"""The request is checked in order: the client, the redirect URI, and only then the rest."""

from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.authorize import request as requests
from idp.authorize.request import AuthorizationRequest, CannotAnswer, Refusal
from idp.clients import service as clients
from idp.keys import service as keys
from idp.protocol import acr, jwt
from idp.protocol.parameters import Parameters
from kernel.ids import new_id
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import (
    API,
    CALLBACK,
    CHALLENGE,
    ISSUER,
    App,
    a_query,
    an_app,
    an_authorization_request,
)


def _read(app: App, pairs=(), **changes) -> AuthorizationRequest:
    query = [*a_query(app, **changes).items(), *pairs]
    with db.reading() as session:
        return requests.read(session, Parameters(query), issuer=ISSUER, now=NOON)


@pytest.mark.product("OP-1")
def test_a_good_request_is_read(identity_app: Flask):
    app = an_app()

    asked = _read(
        app,
        scope="openid email unknown email",
        prompt="login consent",
        max_age="10",
        acr_values=f"1 {acr.TWO_FACTOR}",
        login_hint="anna@example.com",
        ui_locales="se pl",
        resource=API,
        display="popup",
        claims='{"userinfo":{"name":null}}',
        extra="foobar",
    )

    assert asked == AuthorizationRequest(
        client_id=app.id,
        redirect_uri=CALLBACK,
        response_mode="query",
        state="a state",
        scopes=("openid", "email"),
        nonce="a nonce",
        code_challenge=CHALLENGE,
        prompts=("login", "consent"),
        max_age=10,
        acr_values=("1", acr.TWO_FACTOR),
        login_hint="anna@example.com",
        ui_locales=("se", "pl"),
        resources=(API,),
        hinted_person=None,
    )
    assert asked.wanted == acr.Wanted(
        acr=(acr.TWO_FACTOR,), max_age=10, prompt_login=True, login_hint="anna@example.com"
    )


def test_a_request_survives_in_a_flow(identity_app: Flask):
    asked = an_authorization_request(an_app(), hinted_person=str(new_id()), max_age=0)

    assert AuthorizationRequest.from_json(asked.as_json()) == asked


@pytest.mark.product("OP-1")
@pytest.mark.security("6.1", "6.2")
@pytest.mark.parametrize(
    ("changes", "pairs", "parameter"),
    [
        ({"client_id": None}, (), "client_id"),
        ({"client_id": "nobody"}, (), "client_id"),
        ({}, [("client_id", "another")], "client_id"),
        ({"redirect_uri": None}, (), "redirect_uri"),
        ({"redirect_uri": "https://evil.example"}, (), "redirect_uri"),
        ({"redirect_uri": f"{CALLBACK}?x=1"}, (), "redirect_uri"),
        ({"redirect_uri": f"{CALLBACK}/"}, (), "redirect_uri"),
        ({"redirect_uri": 'https://evil.example/"ż'}, (), "redirect_uri"),
        ({}, [("redirect_uri", CALLBACK)], "redirect_uri"),
        ({"redirect_uri": "https://evil.example", "response_type": "ż"}, (), "redirect_uri"),
        ({"redirect_uri": "https://evil.example", "request": "a.b.c"}, (), "redirect_uri"),
    ],
)
def test_nobody_is_redirected_when(identity_app: Flask, changes, pairs, parameter):
    """Authlib answers a quote or a non-ASCII letter in redirect_uri with a 500."""
    with pytest.raises(CannotAnswer) as refused:
        _read(an_app(), pairs, **changes)

    assert refused.value.parameter == parameter


def test_a_disabled_client_is_unknown(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)

    with pytest.raises(CannotAnswer):
        _read(app)


@pytest.mark.product("OP-1")
@pytest.mark.security("6.3", "6.4", "6.7", "6.8")
@pytest.mark.parametrize(
    ("changes", "pairs", "error"),
    [
        ({}, [("nonce", "again")], "invalid_request"),
        ({}, [("unknown", "a"), ("unknown", "b")], "invalid_request"),
        ({"nonce": "n" * 501}, (), "invalid_request"),
        ({"request": "a.b.c"}, (), "request_not_supported"),
        ({"request_uri": "https://app.example/r"}, (), "request_uri_not_supported"),
        ({"response_type": None}, (), "invalid_request"),
        ({"response_type": "token"}, (), "unsupported_response_type"),
        ({"response_type": "code id_token"}, (), "unsupported_response_type"),
        ({"response_type": "ż"}, (), "unsupported_response_type"),
        ({"response_mode": "fragment"}, (), "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, (), "invalid_request"),
        ({"code_challenge": None}, (), "invalid_request"),
        ({"code_challenge_method": None}, (), "invalid_request"),
        ({"code_challenge_method": "plain"}, (), "invalid_request"),
        ({"code_challenge": ""}, (), "invalid_request"),
        ({"code_challenge": "short"}, (), "invalid_request"),
        ({"scope": 'open"id'}, (), "invalid_scope"),
        ({"scope": "nothing known"}, (), "invalid_scope"),
        ({"prompt": "none login"}, (), "invalid_request"),
        ({"prompt": "Login"}, (), "invalid_request"),
        ({"max_age": "-1"}, (), "invalid_request"),
        ({"max_age": "1e3"}, (), "invalid_request"),
        ({"max_age": "٣"}, (), "invalid_request"),
        ({"max_age": "9" * 11}, (), "invalid_request"),
        ({"resource": "https://evil.example"}, (), "invalid_target"),
        ({"resource": f"{API}#x"}, (), "invalid_target"),
        ({"id_token_hint": "a.b.c"}, (), "invalid_request"),
    ],
)
def test_the_application_is_told_when(identity_app: Flask, changes, pairs, error):
    with pytest.raises(Refusal) as refused:
        _read(an_app(), pairs, **changes)

    assert refused.value.error.error == error
    assert refused.value.to.redirect_uri == CALLBACK
    assert refused.value.to.state == "a state"


def test_an_ambiguous_state_is_not_sent_back(identity_app: Flask):
    with pytest.raises(Refusal) as repeated:
        _read(an_app(), [("state", "another")])
    with pytest.raises(Refusal) as endless:
        _read(an_app(), state="s" * 2_001)

    assert repeated.value.to.state is None
    assert endless.value.to.state is None


def test_a_client_without_the_grant_gets_no_code(identity_app: Flask):
    app = an_app(grant_types=(clients.CLIENT_CREDENTIALS,))

    with pytest.raises(Refusal) as refused:
        _read(app)

    assert refused.value.error.error == "unauthorized_client"


@pytest.mark.security("7.2", "7.4")
def test_scopes_are_those_that_the_client_may_have(identity_app: Flask):
    without_refresh = an_app(grant_types=(clients.AUTHORIZATION_CODE,))
    narrow = an_app(scopes=("openid",))

    assert _read(without_refresh, scope="openid offline_access").scopes == ("openid",)
    assert _read(narrow, scope="openid email").scopes == ("openid",)


@pytest.mark.product("OP-1")
def test_only_legacy_clients_do_without_pkce(identity_app: Flask):
    legacy = an_app(profile="legacy")

    assert _read(legacy, code_challenge=None, code_challenge_method=None).code_challenge is None
    with pytest.raises(Refusal):
        _read(legacy, code_challenge_method="plain")


def _hint(app: App, subject: str, **claims) -> str:
    second = int(NOON.timestamp())
    facts = {"iss": ISSUER, "aud": app.id, "sub": subject, "iat": second, "exp": second} | claims
    return jwt.sign(facts, keys.signing_key("ES256", now=NOON), typ="JWT")


@pytest.mark.product("OP-1")
def test_a_hint_names_a_person_even_when_it_has_expired(identity_app: Flask):
    app, person_id = an_app(), new_id()

    asked = _read(app, id_token_hint=_hint(app, str(person_id), exp=1))

    assert asked.wanted.person_id == person_id


@pytest.mark.parametrize(
    "claims", [{"iss": "https://evil.example"}, {"aud": "another"}, {"sub": "nobody"}]
)
def test_a_hint_that_is_not_ours_is_refused(identity_app: Flask, claims):
    app = an_app()

    with pytest.raises(Refusal):
        _read(app, id_token_hint=_hint(app, str(new_id()), **claims))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age",
                "acr_values", "login_hint", "id_token_hint", "ui_locales", "claims", "resource",
                "code_challenge", "code_challenge_method", "request", "request_uri", "redirect_uri",
                "client_id", "display",
            ]
        ),
        st.text(),
    )
)  # fmt: skip
def test_no_text_in_any_parameter_is_a_fault(identity_app: Flask, changes):
    app = _known_app(identity_app)

    with suppress(CannotAnswer, Refusal):
        _read(app, **changes)


def _known_app(flask_app: Flask) -> App:
    with db.reading() as session:
        found = clients.listed(session)
    return App(found[0].id) if found else an_app()


def test_no_query_at_all(identity_app: Flask):
    with db.reading() as session, pytest.raises(CannotAnswer):
        requests.read(session, Parameters([]), issuer=ISSUER, now=NOON)
