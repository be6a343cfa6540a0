"""Endpoints for tests, and the program behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from idp import facts as hearing
from idp.worker import create_worker
from kernel import clock
from kernel.outgoing import OutgoingError, Response
from kernel.pages import PageRequest
from tenants.database import db
from tenants.facts.service import Kind, note
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tenants.webhooks.deliveries import DeliverySummary
from tenants.webhooks.service import EndpointSummary
from tests.tenants.making import an_account

URL = "https://hooks.example/klucznik"
ACTOR = "person:01990000-0000-7000-8000-000000000001"


@dataclass
class Receiver:
    """What was sent there, and what it answers."""

    status: int = 204
    failure: OutgoingError | None = None
    sent: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str]) -> Response:
        if self.failure is not None:
            raise self.failure
        self.sent.append((url, data, headers))
        return Response(self.status, {}, b"something that nobody keeps")


def an_endpoint(account: str, now: Any, **changes: Any) -> tuple[EndpointSummary, str]:
    """An endpoint that hears everything, and its secret."""
    with db.transaction(tenant=account) as session:
        return webhooks.create(
            session, account, **{"url": URL, "actor": ACTOR, "now": now, **changes}
        )


class Listening:
    """An account with one endpoint, and the worker that sends."""

    def __init__(self, app: Flask, now: datetime) -> None:
        self.id = an_account().id
        self.endpoint, self.secret = an_endpoint(self.id, now)
        self._worker = create_worker(app)

    def happened(self, now: datetime) -> UUID:
        with db.transaction() as session:
            fact = note(session, Kind.ROLE_CHANGED, account=self.id, person_id=None, now=now)
        hearing.hear(now)
        return fact

    def work(self, now: datetime) -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(clock, "now", lambda: now)
            self._worker.run_once(now)

    def deliveries(self) -> tuple[DeliverySummary, ...]:
        with db.reading(tenant=self.id) as session:
            asked = PageRequest()
            return deliveries.listed(session, self.id, self.endpoint.id, asked=asked).items

    def now_endpoint(self) -> EndpointSummary | None:
        with db.reading(tenant=self.id) as session:
            return webhooks.find(session, self.id, self.endpoint.id)

    def replay(self, now: datetime, **what: Any) -> int:
        with db.transaction(tenant=self.id) as session:
            return deliveries.replay(
                session, self.id, self.endpoint.id, actor=ACTOR, now=now, **what
            )
