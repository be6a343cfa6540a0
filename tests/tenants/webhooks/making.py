"""Endpoints for tests, and the program behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.outgoing import OutgoingError, Response
from tenants.database import db
from tenants.webhooks import service as webhooks
from tenants.webhooks.service import EndpointSummary

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
