"""What tests of the provider start from: registered applications, people who are signed in, codes.

Everything is valid until told otherwise.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from consent.oauth import service as consents
from idp.authorize.request import AuthorizationRequest
from idp.authorize.response import issue_code
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.protocol import acr, jwt, pkce, scopes
from idp.sessions import service as sessions
from idp.sessions.service import SignedIn, Whereabouts
from kernel import clock
from kernel.crypto import new_token
from tenants.database import db
from tenants.people import service as people

ISSUER = "http://localhost:9000"
CALLBACK = "https://app.example/callback"
AFTER_LOGOUT = "https://app.example/bye"
BACKCHANNEL = "https://app.example/backchannel"
API = "https://api.example"
VERIFIER = "a-verifier-that-has-more-than-enough-characters-in-it"
CHALLENGE = pkce.challenge_for(VERIFIER)


@dataclass(frozen=True)
class App:
    """A registered application, with what it alone knows."""

    id: str
    secret: str | None = None
    key: ECKey | RSAKey | None = None

    @property
    def basic(self) -> dict[str, str]:
        """The header with which it proves itself."""
        pair = base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def registered(self) -> RegisteredClient:
        with db.reading() as session:
            client = clients.find(session, self.id)
        assert client is not None
        return client

    def assertion(self, **claims: Any) -> dict[str, str]:
        """A client assertion as form fields."""
        assert self.key is not None
        second = int(clock.now().timestamp())
        payload = {
            "iss": self.id,
            "sub": self.id,
            "aud": ISSUER,
            "jti": new_token(128),
            "iat": second,
            "exp": second + 60,
        } | claims
        payload = {name: value for name, value in payload.items() if value is not None}
        key = jwt.TokenKey("client-key", "ES256", self.key)
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.sign(payload, key, typ="JWT"),
        }


def an_app(**changes: Any) -> App:
    """Register an application; a confidential one of somebody else's until told otherwise."""
    wanted: dict[str, Any] = {
        "name": "Example",
        "redirect_uris": (CALLBACK,),
        "post_logout_redirect_uris": (AFTER_LOGOUT,),
        "grant_types": clients.GRANT_TYPES,
        "id_token_signed_response_alg": "ES256",
        "audiences": (API,),
        "scopes": (*scopes.OF_OPENID, "reports:read"),
        "now": datetime(2026, 1, 1, tzinfo=UTC),
    } | changes
    key = None
    if wanted.get("token_endpoint_auth_method") == clients.PRIVATE_KEY_JWT:
        key = ECKey.generate_key("P-256")
        if "jwks_uri" not in wanted:
            jwk = dict(key.as_dict(private=False)) | {"kid": "client-key"}
            wanted.setdefault("jwks", {"keys": [jwk]})
    if wanted.get("token_endpoint_auth_method") == clients.NONE:
        wanted["grant_types"] = tuple(
            each for each in wanted["grant_types"] if each != clients.CLIENT_CREDENTIALS
        )
    with db.transaction() as session:
        client_id, secret = clients.register(session, **wanted)
    return App(client_id, secret, key)


def a_person(**changes: Any) -> UUID:
    """Somebody with an ID."""
    email = changes.pop("email", f"{new_token(64).lower()}@example.com")
    with db.transaction() as session:
        person = people.create(session, email=email, now=datetime(2026, 1, 1, tzinfo=UTC))
        if changes:
            people.describe(
                session,
                person_id=person.id,
                values=changes,
                now=datetime(2026, 1, 1, tzinfo=UTC),
            )
    return person.id


@dataclass
class Browser:
    """A browser in front of the identity program, with somebody signed in or not."""

    client: FlaskClient
    person_id: UUID | None = None
    session_id: UUID | None = None
    _state: dict[str, Any] = field(default_factory=dict)

    def ask(self, app: App, **changes: Any) -> TestResponse:
        """Send the browser to /authorize with a good request."""
        return self.client.get(f"/authorize?{urlencode(a_query(app, **changes), doseq=True)}")


def a_browser(app: Flask, *, person_id: UUID | None = None, **sign_in: Any) -> Browser:
    """A new browser; with a person, one in which they are signed in."""
    browser = Browser(app.test_client())
    if person_id is not None:
        sign_in_to(browser, person_id, **sign_in)
    return browser


def sign_in_to(browser: Browser, person_id: UUID, **changes: Any) -> SignedIn:
    """Sign a person in, as the pages would."""
    now = changes.pop("now", clock.now())
    facts: dict[str, Any] = {"amr": ["pwd", "otp", "mfa"], "acr": acr.TWO_FACTOR} | changes
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=person_id,
            where=Whereabouts("Firefox", "192.0.2.1"),
            now=now,
            **facts,
        )
        signed_in = sessions.find_by_secret(session, secret, now=now)
    assert signed_in is not None
    browser.client.set_cookie("klucznik_session", secret)
    browser.person_id, browser.session_id = person_id, signed_in.session_id
    return signed_in


def a_query(app: App, **changes: Any) -> dict[str, Any]:
    """The parameters of a good authorization request; None takes one away."""
    query: dict[str, Any] = {
        "client_id": app.id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "a state",
        "nonce": "a nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in query.items() if value is not None}


def answer_of(response: TestResponse) -> dict[str, str]:
    """The parameters that a redirect carries back."""
    assert response.status_code in (302, 303), response.get_data(as_text=True)[:2000]
    query = parse_qs(urlsplit(response.headers["Location"]).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def a_signed_in(session: Session, person_id: UUID, *, now: datetime) -> SignedIn:
    """A session of a person, straight from the table."""
    secret = sessions.start(
        session,
        person_id=person_id,
        amr=["pwd", "otp", "mfa"],
        acr=acr.TWO_FACTOR,
        where=Whereabouts(),
        now=now,
    )
    found = sessions.find_by_secret(session, secret, now=now)
    assert found is not None
    return found


def a_code(app: App, *, now: datetime, person_id: UUID | None = None, **changes: Any) -> str:
    """A code that somebody's sign-in gave this application."""
    asked = an_authorization_request(app, **changes)
    person_id = person_id or a_person()
    with db.transaction() as session:
        signed_in = a_signed_in(session, person_id, now=now)
        return issue_code(
            session,
            asked,
            signed_in,
            life=timedelta(seconds=60),
            now=now,
            account=asked.account,
            company=asked.company,
        )


def an_authorization_request(app: App, **changes: Any) -> AuthorizationRequest:
    """A checked request."""
    facts: dict[str, Any] = {
        "client_id": app.id,
        "redirect_uri": CALLBACK,
        "response_mode": "query",
        "state": "a state",
        "scopes": ("openid", "email", "offline_access"),
        "nonce": "a nonce",
        "code_challenge": CHALLENGE,
        "prompts": (),
        "max_age": None,
        "acr_values": (),
        "login_hint": None,
        "ui_locales": (),
        "resources": (),
        "hinted_person": None,
    } | changes
    return AuthorizationRequest(**facts)


def trade(client: FlaskClient, app: App, grant_type: str, **fields: Any) -> TestResponse:
    """A request to the token endpoint by a client with a secret, or by a public one."""
    form = {"grant_type": grant_type} | fields
    if app.secret is None and app.key is None:
        form["client_id"] = app.id
    if app.key is not None:
        form |= app.assertion()
    form = {name: value for name, value in form.items() if value is not None}
    headers = app.basic if app.secret is not None else {}
    return client.post("/token", data=form, headers=headers)


def trade_code(client: FlaskClient, app: App, code: str, **fields: Any) -> TestResponse:
    """Redeem a code over HTTP."""
    good = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return trade(client, app, "authorization_code", **(good | fields))


def tokens_for(
    client: FlaskClient, app: App, *, person_id: UUID | None = None, **changes: Any
) -> dict[str, Any]:
    """Tokens of a fresh sign-in; consent is given along the way."""
    person_id = person_id or a_person()
    allow(
        app,
        person_id,
        scopes=changes.get("scopes", ("openid", "email", "offline_access")),
        account=changes.get("account"),
    )
    code = a_code(app, now=clock.now(), person_id=person_id, **changes)
    response = trade_code(client, app, code)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = response.get_json()
    return found


def allow(
    app: App, person_id: UUID, *, scopes: tuple[str, ...], account: str | None = None
) -> None:
    """Let the person have given consent before, in this account or in none."""
    with db.transaction() as session:
        consents.give(
            session,
            person_id=person_id,
            client_id=app.id,
            account=account,
            scopes=scopes,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unchecked."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return found


def header_of(token: str) -> dict[str, Any]:
    """The header of a token."""
    header = token.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    return found
