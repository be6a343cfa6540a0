"""An application that may provision, an account that has it, and one that has not."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tenants.database import Base, db
from tests.idp import provider
from tests.tenants.acting import Office, an_office
from tests.tenants.api.speaking import AUDIENCE, Speaker

CALLBACK = "https://crm.example/callback"
ANNA = {
    "external_id": "client-17",
    "kind": "client",
    "email": "anna@example.com",
    "given_name": "Anna",
    "family_name": "Nowak",
}


@dataclass(frozen=True)
class Program:
    """An application that speaks for itself."""

    app: provider.App
    speaker: Speaker
    account: str

    def provision(self, **changes: Any) -> TestResponse:
        """A good request until told otherwise; None takes a field away."""
        body = {"account": self.account} | ANNA | changes
        said = {name: value for name, value in body.items() if value is not None}
        return self.speaker.post("/provisioning/people", json=said)

    def do(self, what: str, **changes: Any) -> TestResponse:
        """Do something with the person who was provisioned."""
        body = {"account": self.account, "external_id": ANNA["external_id"]} | changes
        return self.speaker.post(f"/provisioning/people/{what}", json=body)

    def read(self, **changes: Any) -> TestResponse:
        """What is known of them."""
        query = {"account": self.account, "external_id": ANNA["external_id"]} | changes
        return self.speaker.get("/provisioning/people", query_string=query)


@pytest.fixture
def office(identity_app: Flask) -> Office:
    return an_office()


@pytest.fixture
def program(identity_app: Flask, office: Office) -> Program:
    """The CRM of this office."""
    return a_program(identity_app, office.id)


def a_program(app: Flask, account: str, **changes: Any) -> Program:
    """An application with a token of its own."""
    wanted = {
        "name": "CRM",
        "application": "crm",
        "redirect_uris": (CALLBACK,),
        "audiences": (AUDIENCE,),
        "scopes": ("provisioning",),
    } | changes
    program = provider.an_app(**wanted)
    answer = provider.trade(app.test_client(), program, "client_credentials", resource=AUDIENCE)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Program(program, Speaker(app.test_client(), answer.json["access_token"]), account)


@pytest.fixture
def everything(identity_app: Flask) -> Callable[[], str]:
    """The whole database as a hash; requests that are counted count for nothing."""

    def digest() -> str:
        found = hashlib.sha256()
        with db.reading(everywhere=True) as session:
            for table in Base.metadata.sorted_tables:
                if table.name == "limits":
                    continue
                rows = session.execute(text(f'SELECT * FROM "{table.name}"'))  # noqa: S608
                found.update(repr((table.name, sorted(map(repr, rows)))).encode())
        return found.hexdigest()

    return digest
