import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import LargeBinary

from idp.credentials import totp
from idp.events import ProviderEvent
from idp.keys import service as keys
from idp.resealing import everything_sealed_anew
from kernel.api.idempotency import Answered, Claim
from kernel.crypto import Vault
from kernel.ledger import INSTALLATION
from tenants.api.views import idempotent_requests
from tenants.audit import ledger
from tenants.database import db
from tests.idp.visitor import a_person, an_authenticator
from tests.programs import SECRETS

_OLD = base64.urlsafe_b64decode(SECRETS["encryption_keys"])
_NEW = b"n" * 32


@pytest.fixture
def new_key(identity_app, monkeypatch):
    """Puts a new encryption key in front of the one that everything was sealed with."""

    def put(*known):
        settings = identity_app.extensions["klucznik.settings"]
        vault = Vault([_NEW, *known])
        monkeypatch.setattr(type(settings), "vault", lambda self: vault)

    return put


def run(now):
    return everything_sealed_anew(by="operator", now=now, tell=lambda _: None)


@pytest.mark.security("4.1")
@pytest.mark.security("13.3")
def test_an_authenticator_goes_on_under_the_new_key_alone(now, new_key):
    person_id = a_person()
    clock = an_authenticator(person_id, now=now)
    new_key(_OLD)

    done = run(now)
    new_key()

    assert {one.what: one.renewed for one in done}["authenticator apps"] == 1
    later = now + timedelta(minutes=5)
    with db.transaction() as session:
        assert totp.accept(session, person_id=person_id, text=clock.at(later), now=later)


def test_signing_keys_go_on_under_the_new_key_alone(now, new_key):
    keys.rotate(now=now)
    new_key(_OLD)

    run(now)
    new_key()

    with db.reading() as session:
        ring = keys.ring(session)
    assert ring.signing(keys.ES256, now) is not None


def test_a_request_that_is_repeated_is_answered_under_the_new_key_alone(now, new_key):
    asked: dict[str, Any] = {
        "key": "order-7",
        "whose": "client:crm",
        "request": b"r" * 32,
        "now": now,
    }
    answered = Answered(201, (("ETag", '"1"'),), b'{"secret": "shown once"}')
    claim = idempotent_requests.begin(db, **asked)
    assert isinstance(claim, Claim)
    idempotent_requests.finish(db, claim, answered)
    new_key(_OLD)

    run(now)
    new_key()

    assert idempotent_requests.begin(db, **asked) == answered


def test_it_is_on_record(now, new_key):
    new_key(_OLD)

    run(now)

    with db.reading() as session:
        newest = ledger.history(session, chain=INSTALLATION)[0]
    assert (newest.event, newest.actor) == (ProviderEvent.SECRETS_RESEALED, "operator")


def test_nothing_else_of_the_identity_program_is_sealed_by_the_vault():
    """Whoever seals a column more adds it to `everything_sealed_anew`, and then here."""
    names = {
        str(column)
        for table in db.metadata.tables.values()
        for column in table.columns
        if "sealed" in column.name and isinstance(column.type, LargeBinary)
    }

    assert names == {
        "signing_keys.private_sealed",
        "totps.sealed_secret",
        "idempotent_requests.answer_sealed",
        "webhook_endpoints.secret_sealed",
        "webhook_endpoints.previous_secret_sealed",
        # The client's own token is the key.
        "refresh_tokens.answer_sealed",
    }
