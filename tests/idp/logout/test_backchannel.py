"""Logout tokens, as an application receives them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from flask import Flask

from idp import logout
from idp.clients import service as clients
from idp.keys import service as keys
from idp.logout import backchannel
from idp.logout.backchannel import NotTaken
from idp.protocol import jwt
from idp.worker import create_worker
from kernel import clock
from kernel.ids import new_id
from kernel.outbox import Message, Undeliverable
from kernel.outgoing import Response
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import BACKCHANNEL, ISSUER, App, a_code, a_person, an_app


@dataclass
class Receiver:
    """The application's side: what was posted there, and what it answers."""

    status: int = 200
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def post(self, url: str, *, data: dict[str, str]) -> Response:
        self.posted.append((url, parse_qs(urlencode(data))))
        return Response(self.status, {}, b"")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    receiver = Receiver()
    monkeypatch.setattr(backchannel, "_outgoing", lambda: receiver)
    return receiver


def _message(app: App, **payload) -> Message:
    facts = {"client_id": app.id, "uri": BACKCHANNEL, "sub": "somebody", "sid": "a sid"} | payload
    return Message(new_id(), backchannel.KIND, facts, NOON, None)


@pytest.mark.product("OP-1")
@pytest.mark.security("9.2", "8.4")
def test_a_logout_token_says_what_it_must_and_nothing_else(identity_app: Flask, receiver: Receiver):
    app = an_app(backchannel_logout_uri=BACKCHANNEL)
    message = _message(app)

    backchannel.deliver(message)

    [(url, form)] = receiver.posted
    assert url == BACKCHANNEL
    assert set(form) == {"logout_token"}
    with db.reading() as session:
        find_key = keys.ring(session).find
    claims = jwt.verify(
        form["logout_token"][0],
        find_key=find_key,
        typ=("logout+jwt",),
        issuer=ISSUER,
        audience=app.id,
        now=clock.now(),
    )
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert (claims["sub"], claims["sid"], claims["jti"]) == ("somebody", "a sid", str(message.id))
    assert claims["exp"] - claims["iat"] == 120
    assert "nonce" not in claims


def test_it_is_signed_like_the_clients_id_tokens(identity_app: Flask, receiver: Receiver):
    app = an_app(backchannel_logout_uri=BACKCHANNEL, id_token_signed_response_alg="RS256")

    backchannel.deliver(_message(app))

    header = jwt.read_header(receiver.posted[0][1]["logout_token"][0])
    assert header["alg"] == "RS256"


@pytest.mark.parametrize(
    ("status", "raised"), [(500, NotTaken), (302, NotTaken), (404, NotTaken), (400, Undeliverable)]
)
def test_what_is_not_taken_is_tried_again_unless_it_was_refused(
    identity_app: Flask, receiver: Receiver, status, raised
):
    receiver.status = status

    with pytest.raises(raised):
        backchannel.deliver(_message(an_app()))


def test_a_client_that_is_gone_is_not_told(identity_app: Flask, receiver: Receiver):
    app = an_app()
    with db.transaction() as session:
        clients.remove(session, app.id, now=NOON)

    with pytest.raises(Undeliverable):
        backchannel.deliver(_message(app))

    assert receiver.posted == []


@pytest.mark.product("OP-1")
def test_the_worker_delivers_what_a_logout_announced(identity_app: Flask, receiver: Receiver):
    app, person_id = an_app(backchannel_logout_uri=BACKCHANNEL, first_party=True), a_person()
    a_code(app, now=NOON, person_id=person_id)
    with db.transaction() as session:
        logout.end_sessions(session, person_id=person_id, reason="test", now=NOON)

    create_worker(identity_app).run_once(NOON + timedelta(seconds=1))

    assert len(receiver.posted) == 1


def test_one_client_is_kept_for_all_deliveries(identity_app: Flask):
    assert backchannel._outgoing() is backchannel._outgoing()
