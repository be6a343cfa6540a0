"""The endpoints that are called all day, answered in front of Flask.

Programs call all of them but one: an application sends a browser to `/authorize` whose person is
signed in already. Each handler does what the view of the same address does, by the same functions;
what it can't do as well, it leaves to the view (`kernel.web.fast_path`).
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Flask

from idp import client_requests
from idp.authorize import request as authorization
from idp.authorize import response
from idp.authorize import service as authorize
from idp.clients import authentication
from idp.clients.authentication import Presented
from idp.clients.service import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
)
from idp.discovery import document
from idp.introspection import service as introspection
from idp.keys import service as keys
from idp.protocol import prompts
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.sessions import service as sessions
from idp.settings import IdentitySettings
from idp.token import authorization_code, client_credentials, refresh_token, server
from idp.userinfo import views as userinfo
from kernel import clock
from kernel.web import fast_path, origin_of, settings_of
from kernel.web.cookies import cookie_name
from kernel.web.fast_path import Answer, Asked
from kernel.web.security_headers import headers_without_a_page
from tenants.database import db

Trade = Callable[[Parameters, Presented, datetime], dict[str, Any]]

_JSON = ("Content-Type", "application/json")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_INTROSPECTION = "introspection.inspect"
_AUTHORIZE = ("GET", "/authorize")
_KEYS_SECONDS = 0.05


class FastPath(fast_path.FastPath):
    """The identity program as the server calls it.

    For `keys_seconds` after a look the published keys are answered without another one.
    """

    def __init__(self, app: Flask, *, keys_seconds: float = _KEYS_SECONDS) -> None:
        self._keys_seconds = keys_seconds
        self._keys_until = 0.0
        settings = settings_of(app)
        assert isinstance(settings, IdentitySettings)  # noqa: S101
        self._issuer = settings.issuer
        origin = origin_of(app)
        self._session_cookie = cookie_name(sessions.COOKIE, origin)
        self._of_json = (_JSON, ("Pragma", "no-cache"), *headers_without_a_page(origin))
        self._of_redirect = (_HTML, *headers_without_a_page(origin, referrer="no-referrer"))
        self._of_keys = (
            _JSON,
            *headers_without_a_page(
                origin, cache_control=f"public, max-age={settings.jwks_cache_seconds}"
            ),
        )
        self._discovery = Answer(
            200,
            (_JSON, *headers_without_a_page(origin, cache_control=document.CACHE_CONTROL)),
            document.as_bytes(settings.issuer),
        )
        super().__init__(
            app,
            {
                ("POST", "/token"): self._token,
                ("POST", "/introspect"): self._introspect,
                ("GET", "/userinfo"): self._userinfo,
                ("POST", "/userinfo"): self._userinfo,
                ("GET", "/jwks"): self._jwks,
                ("GET", "/.well-known/openid-configuration"): self._discover,
                ("GET", "/.well-known/oauth-authorization-server"): self._discover,
                _AUTHORIZE: self._authorize,
            },
            also_for_browsers=[_AUTHORIZE],
        )

    def _discover(self, _: Asked) -> Answer:
        return self._discovery

    def _jwks(self, _: Asked) -> Answer | None:
        # Whoever reads them keeps them for minutes. What another request of this process has
        # learned since counts at once: no key signs here that is not published here.
        ring = keys.last_ring() if time.monotonic() < self._keys_until else None
        if ring is None:
            until = time.monotonic() + self._keys_seconds
            with db.glancing() as glance:
                ring = keys.ring(glance)
            self._keys_until = until
        if not keys.is_complete(ring):
            return None
        return Answer(200, self._of_keys, ring.jwks(clock.now()))

    def _userinfo(self, asked: Asked) -> Answer:
        form = Parameters(asked.form) if asked.form is not None else None
        try:
            return self._json(userinfo.answer(asked.authorization, form))
        except OAuthError as error:
            return self._json(*userinfo.refused(error))

    def _introspect(self, asked: Asked) -> Answer | None:
        parameters = _parameters(asked)
        if parameters is None:
            return None
        try:
            presented = authentication.read(asked.authorization, parameters)
            if presented.method == PRIVATE_KEY_JWT:
                return None
            now = clock.now()
            return self._json(
                introspection.answer(
                    parameters,
                    lambda at: authentication.authenticate_within(at, presented, now=now),
                    issuer=self._issuer,
                    now=now,
                )
            )
        except OAuthError as error:
            return self._json(*client_requests.refused(error, endpoint=_INTROSPECTION))

    def _token(self, asked: Asked) -> Answer | None:
        parameters = _parameters(asked)
        trade = _TRADES.get(parameters.get("grant_type", "")) if parameters is not None else None
        if parameters is None or trade is None:
            return None
        try:
            presented = authentication.read(asked.authorization, parameters)
            if presented.method == PRIVATE_KEY_JWT:
                return None
            return self._json(trade(parameters, presented, clock.now()))
        except OAuthError as error:
            refused = server.refused(error)
            return self._json(refused.body, refused.status, refused.headers)

    def _authorize(self, asked: Asked) -> Answer | None:
        """A code over a live session. What needs a page or a refusal is left to the view."""
        parameters = Parameters(asked.query)
        secret = asked.cookies.get(self._session_cookie)
        if not secret or "client_id" not in parameters:
            # Nobody is signed in, or a flow is carried on.
            return None
        now = clock.now()
        try:
            with db.glancing() as glance:
                request = authorization.read(glance, parameters, issuer=self._issuer, now=now)
                signed_in = sessions.find_by_secret(glance, secret, now=now)
                plan = authorize.plan_at_once(glance, request, signed_in=signed_in, now=now)
        except (authorization.CannotAnswer, authorization.Refusal):
            return None
        if signed_in is None or plan is None or request.response_mode != authorization.QUERY:
            return None
        if prompts.NONE not in request.prompts:
            sessions.note_use_of(signed_in, now=now)
        outcome = authorize.carry_out(plan, now=now)
        assert isinstance(outcome, authorize.Code)  # noqa: S101
        address = response.address_with_code(outcome.to, outcome.code, issuer=self._issuer)
        return Answer(303, (("Location", address), *self._of_redirect), b"")

    def _json(
        self, body: Any, status: int = 200, headers: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        return Answer(
            status,
            (*self._of_json, *headers) if headers else self._of_json,
            client_requests.json_text(body),
        )


def _parameters(asked: Asked) -> Parameters | None:
    """The parameters, unless something is wrong with them as a whole."""
    parameters = Parameters(asked.form or ())
    return parameters if parameters.why_refuse() is None else None


def _client_credentials(
    parameters: Parameters, presented: Presented, now: datetime
) -> dict[str, Any]:
    with db.glancing() as glance:
        client = authentication.authenticate_within(glance, presented, now=now)
        server.permit(client, CLIENT_CREDENTIALS)
        return client_credentials.trade(parameters, client=client, now=now, at=glance)


def _refresh_token(parameters: Parameters, presented: Presented, now: datetime) -> dict[str, Any]:
    with db.glancing() as glance:
        refresh_token.look_ahead(glance, parameters.get("refresh_token", ""))
        client = authentication.authenticate_within(glance, presented, now=now)
        server.permit(client, REFRESH_TOKEN)
        return refresh_token.trade(glance, parameters, client=client, now=now)


def _authorization_code(
    parameters: Parameters, presented: Presented, now: datetime
) -> dict[str, Any]:
    with db.glancing() as glance:
        client = authentication.authenticate_within(glance, presented, now=now)
    server.permit(client, AUTHORIZATION_CODE)
    return authorization_code.trade(parameters, client=client, now=now)


_TRADES: dict[str, Trade] = {
    CLIENT_CREDENTIALS: _client_credentials,
    REFRESH_TOKEN: _refresh_token,
    AUTHORIZATION_CODE: _authorization_code,
}
