"""Keys at a `jwks_uri`: fetched through the guarded client, remembered, asked again when needed."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from idp.clients import remote_keys
from idp.clients.remote_keys import RemoteKeys
from kernel.outgoing import OutgoingRefused, Response
from tests.conftest import NOON

URI = "https://app.example/jwks"


@dataclass
class Web:
    """What stands at the client's address, and how often it was asked for."""

    kids: list[str] = field(default_factory=lambda: ["one"])
    status: int = 200
    body: bytes | None = None
    asked: int = 0

    def get(self, url: str) -> Response:
        assert url == URI
        self.asked += 1
        keys = [dict(ECKey.generate_key("P-256").as_dict(private=False)) for _ in self.kids]
        named = [key | {"kid": kid} for key, kid in zip(keys, self.kids, strict=True)]
        body = self.body if self.body is not None else json.dumps({"keys": named}).encode()
        return Response(self.status, {}, body)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, identity_app: Flask) -> Web:
    web = Web()
    monkeypatch.setattr(remote_keys, "Outgoing", lambda _settings: web)
    return web


@pytest.mark.product("OP-1")
@pytest.mark.security("16.2")
def test_keys_are_fetched_once_and_kept(web: Web):
    memory = RemoteKeys()

    for _ in range(3):
        found = memory.of(URI, kid="one", now=NOON)

    assert [key.id for key in found] == ["one"]
    assert web.asked == 1


@pytest.mark.product("OP-1")
def test_an_unknown_kid_is_asked_for_again(web: Web):
    memory = RemoteKeys()
    memory.of(URI, kid="one", now=NOON)
    web.kids = ["two"]

    found = memory.of(URI, kid="two", now=NOON + timedelta(seconds=10))

    assert [key.id for key in found] == ["two"]


@pytest.mark.security("16.2")
def test_nobody_makes_us_ask_more_often_than_every_ten_seconds(web: Web):
    memory = RemoteKeys()

    for second in range(10):
        memory.of(URI, kid=f"made-up-{second}", now=NOON + timedelta(seconds=second))

    assert web.asked == 1


def test_keys_are_asked_for_anew_after_ten_minutes(web: Web):
    memory = RemoteKeys()
    memory.of(URI, kid="one", now=NOON)

    memory.of(URI, kid="one", now=NOON + timedelta(minutes=10))

    assert web.asked == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 5}', b"[" * 60_000, b"\xff"])
def test_rubbish_brings_no_keys(web: Web, body):
    web.body = body

    assert RemoteKeys().of(URI, kid="one", now=NOON) == ()


def test_a_server_that_is_down_loses_no_keys(web: Web):
    memory = RemoteKeys()
    memory.of(URI, kid="one", now=NOON)
    web.status = 500

    found = memory.of(URI, kid="one", now=NOON + timedelta(minutes=11))

    assert [key.id for key in found] == ["one"]


def test_an_address_that_may_not_be_asked_brings_no_keys(web: Web, monkeypatch):
    def refuse(_url: str) -> Response:
        raise OutgoingRefused("private")

    monkeypatch.setattr(web, "get", refuse)

    assert RemoteKeys().of(URI, kid="one", now=NOON) == ()


@pytest.mark.security("18.7")
def test_the_memory_is_bounded(web: Web, monkeypatch):
    monkeypatch.setattr(remote_keys, "_MOST", 1)
    memory = RemoteKeys()
    memory.of(URI, kid="one", now=NOON)
    memory._fetched["https://other.example"] = memory._fetched.pop(URI)

    memory.of(URI, kid="one", now=NOON)

    assert list(memory._fetched) == [URI]


@pytest.mark.security("16.2")
def test_whoever_comes_while_we_ask_does_not_ask_as_well(web: Web, monkeypatch):
    memory = RemoteKeys()
    memory.of(URI, kid="one", now=NOON)
    later = NOON + timedelta(minutes=10)
    answer = web.get

    def slow(url: str) -> Response:
        if web.asked < 5:
            assert [key.id for key in memory.of(URI, kid="one", now=later)] == ["one"]
        return answer(url)

    monkeypatch.setattr(web, "get", slow)
    memory.of(URI, kid="one", now=later)

    assert web.asked == 2


def test_where_there_was_no_key_an_assertion_without_a_kid_makes_us_ask_again(web: Web):
    memory = RemoteKeys()
    web.status = 500
    assert memory.of(URI, kid=None, now=NOON) == ()
    web.status = 200

    assert memory.of(URI, kid=None, now=NOON + timedelta(seconds=10))
