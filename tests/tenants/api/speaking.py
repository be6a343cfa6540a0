"""Programs that speak with the API, each with a good token, until told otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.authorize.response import issue_code
from kernel import clock
from tenants.applications import service as applications
from tenants.applications.own import PERMISSIONS
from tenants.database import db
from tests.idp import provider
from tests.idp.provider import ISSUER, App
from tests.tenants import making
from tests.tenants.making import LONG_AGO, Made

AUDIENCE = f"{ISSUER}/api"
PREFIX = "/api/v1"


@dataclass
class Speaker:
    """A program that acts for a person, or for nobody."""

    client: FlaskClient
    token: str | None = None
    person_id: UUID | None = None

    def ask(
        self, method: str, path: str, *, version: int | None = None, **rest: Any
    ) -> TestResponse:
        """Send a request to a path of the API."""
        headers = dict(rest.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.open(f"{PREFIX}{path}", method=method, headers=headers, **rest)

    def get(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("POST", path, **rest)

    def patch(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("PATCH", path, **rest)

    def put(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("PUT", path, **rest)

    def delete(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("DELETE", path, **rest)


@dataclass(frozen=True)
class World:
    """The identity program with the API's own permissions, and an application that uses it."""

    app: Flask
    program: App

    def token(
        self,
        person_id: UUID,
        account: str | None = None,
        *,
        company: str | None = None,
        scopes: Iterable[str] = ("openid", "accounts"),
        audience: str = AUDIENCE,
        signed_in_ago: timedelta = timedelta(0),
    ) -> str:
        """An access token of a fresh sign-in, in a context."""
        tokens = self.tokens(
            person_id,
            account,
            company=company,
            scopes=scopes,
            audience=audience,
            signed_in_ago=signed_in_ago,
        )
        return str(tokens["access_token"])

    def tokens(
        self,
        person_id: UUID,
        account: str | None = None,
        *,
        company: str | None = None,
        scopes: Iterable[str] = ("openid", "accounts"),
        audience: str = AUDIENCE,
        signed_in_ago: timedelta = timedelta(0),
    ) -> dict[str, Any]:
        """Everything that the token endpoint gives."""
        asked = provider.an_authorization_request(
            self.program, scopes=tuple(scopes), resources=(audience,)
        )
        now = clock.now()
        with db.transaction() as session:
            signed_in = provider.a_signed_in(session, person_id, now=now - signed_in_ago)
            code = issue_code(
                session,
                asked,
                signed_in,
                life=timedelta(seconds=60),
                now=now,
                account=account,
                company=company,
            )
        answer = provider.trade_code(self.app.test_client(), self.program, code)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def speaker(self, person_id: UUID, account: str | None = None, **token: Any) -> Speaker:
        """A program that acts for this person, in this account."""
        return Speaker(self.app.test_client(), self.token(person_id, account, **token), person_id)

    def stranger(self) -> Speaker:
        """A program that proves nothing."""
        return Speaker(self.app.test_client())

    def member(
        self, account: Made, *permissions: str, company: str | None = None, **token: Any
    ) -> Speaker:
        """A program of a new member who holds these permissions of the API, and no others."""
        person_id = making.a_person()
        rights = [(applications.ACCOUNTS, permission) for permission in permissions]
        role = making.a_role(account.id, f"role {person_id}", rights=rights)
        making.a_member(account.id, person_id, roles=[(role, company)])
        return self.speaker(person_id, account.id, **token)

    def admin(self, account: Made, **token: Any) -> Speaker:
        """A program of a new admin of this account."""
        person_id = making.a_person()
        making.a_member(account.id, person_id, roles=[account.admin_role])
        return self.speaker(person_id, account.id, **token)


def a_world(app: Flask) -> World:
    """Everything that a request to the API needs, but for accounts and people."""
    with db.transaction() as session:
        applications.declare(
            session,
            application=applications.ACCOUNTS,
            name="Accounts",
            audience=AUDIENCE,
            context="account",
            for_every_account=True,
            permissions=PERMISSIONS,
            now=LONG_AGO,
        )
    making.an_application("portal", for_every_account=True, context="none")
    making.an_application("crm", permissions=["contacts:read", "contacts:write"])
    program = provider.an_app(
        first_party=True,
        application="portal",
        audiences=(AUDIENCE,),
        scopes=("openid", "offline_access", "accounts", "provisioning"),
    )
    return World(app, program)
