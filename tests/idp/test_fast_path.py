"""What the fast path takes and what it leaves to Flask, and what an answer costs.

That both give the same answers is in `tests/two_ways`.
"""

from typing import Any
from unittest import mock

import pytest
from flask import Flask
from werkzeug.test import Client

from idp.keys import service as keys
from idp.token import refresh_token
from kernel import clock
from kernel.observability import request_log
from kernel.observability.metrics import exposition
from tenants.database import db
from tests.conftest import ON_POSTGRESQL
from tests.idp.provider import API, a_person, a_query, an_app, tokens_for
from tests.statements import asked_of
from tests.tenants.making import Made, a_member, an_account, an_application
from tests.two_ways.ways import FORM, Ways, sent, whole


@pytest.fixture
def ways(identity_app: Flask) -> Ways:
    keys.ensure_keys(now=clock.now())
    return Ways(identity_app)


@pytest.fixture
def account(ways: Ways) -> Made:
    an_application("crm", audience=API, permissions=("contacts:read",))
    return an_account(applications=["crm"])


def test_before_there_is_a_key_flask_makes_one(identity_app: Flask):
    ways = Ways(identity_app)

    assert not ways.takes("/jwks")
    assert ways.takes("/jwks")
    assert len(ways.fast.get("/jwks", **whole({})).get_json()["keys"]) == 2


def _published(ways: Ways) -> tuple[set[str], int]:
    """The names of the published keys, and how often the database was asked for them."""
    with asked_of(db.engine) as asked:
        answer = ways.fast.get("/jwks", **whole({}))
    return {key["kid"] for key in answer.get_json()["keys"]}, len(asked.statements)


@pytest.mark.security("8.5")
def test_published_keys_are_looked_at_again_once_a_request_here_has_seen_others(
    identity_app: Flask,
):
    keys.ensure_keys(now=clock.now())
    ways = Ways(identity_app, keys_seconds=3_600)
    first, _ = _published(ways)

    assert _published(ways) == (first, 0)

    keys.withdraw(next(iter(first)), now=clock.now())
    # What signs the next token is published before it is sent.
    app = an_app()
    form = {"data": {"grant_type": "client_credentials"}, "headers": app.basic, "method": "POST"}
    assert ways.fast.open("/token", **whole(form)).status_code == 200
    now, _ = _published(ways)
    assert next(iter(first)) not in now
    assert len(now) == len(first)


def test_a_body_without_a_length_or_shorter_than_told_is_left_to_flask(ways: Ways):
    for environ in (
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1000"},
        {"SCRIPT_NAME": "/under"},
    ):
        good = {"method": "POST", "content_type": FORM, "data": b"grant_type=x&token=y"}
        before = ways.passed_by

        ways.fast.open("/introspect", **whole({**good, "environ_overrides": environ}))

        assert ways.passed_by == before + 1, environ


@pytest.mark.security("17.2")
def test_each_answer_is_counted_and_logged_once_by_its_route(ways: Ways):
    app = an_app()

    def counted(client: Client) -> tuple[float, list[dict[str, Any]]]:
        def count() -> float:
            label = 'http_requests_total{method="POST",program="idp",route="/token",status="200"} '
            return sum(
                float(line.rpartition(" ")[2])
                for line in exposition().decode().splitlines()
                if label in line
            )

        before, lines = count(), []
        with mock.patch.object(request_log, "write", lambda **fields: lines.append(fields)):
            answer = client.post(
                "/token",
                data={"grant_type": "client_credentials"},
                headers=app.basic,
                **whole({}),
            )
        assert lines[0].pop("request_id") == answer.headers["X-Request-ID"]
        lines[0].pop("seconds")
        return count() - before, lines

    assert counted(ways.fast) == counted(ways.flask)
    assert counted(ways.fast)[0] == 1


@pytest.mark.security("17.3")
def test_a_failure_is_answered_by_flask_and_happens_once(ways: Ways):
    ways.app.config["TESTING"] = False
    app = an_app()
    tries = []

    def fail(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise RuntimeError("the database went away")

    for client in (ways.fast, ways.flask):
        tries.clear()
        with mock.patch.object(refresh_token, "refresh", fail):
            answer = client.post(
                "/token",
                data={"grant_type": "refresh_token", "refresh_token": "x"},
                headers=app.basic,
                **whole({}),
            )
        assert answer.status_code == 500
        assert b"database" not in answer.get_data()
        assert len(tries) == 1


# Look-up, spending, the successor, one commit; PostgreSQL spends, adds and commits in one statement.
REFRESH = (2, 0) if ON_POSTGRESQL else (3, 1)


@pytest.mark.parametrize("first_party", [False, True])
def test_each_answer_asks_the_database_as_little_as_it_may(ways: Ways, first_party: bool):
    app = an_app(first_party=first_party)
    person_id = a_person()
    tokens = tokens_for(ways.flask, app, person_id=person_id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    again = sent(ways, person_id, a_query(app))
    machine = {"data": {"grant_type": "client_credentials"}, "headers": app.basic}
    asked_for = {"data": {"token": tokens["access_token"]}, "headers": app.basic}
    refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    budgets: list[tuple[str, dict[str, Any], int, int]] = [
        ("/.well-known/openid-configuration", {"method": "GET"}, 0, 0),
        ("/jwks", {"method": "GET"}, 1, 0),
        ("/token", {"method": "POST", **machine}, 1, 0),
        ("/introspect", {"method": "POST", **asked_for}, 1, 0),
        ("/userinfo", {"method": "GET", "headers": bearer}, 1, 0),
        ("/token", {"method": "POST", "data": refreshing, "headers": app.basic}, *REFRESH),
        # Versions, session, where it is needed consent; `sid` and code.
        ("/authorize", {"method": "GET", **again}, 4 if first_party else 5, 1),
    ]
    for path, request, statements, commits in budgets:
        if "refresh_token" not in request.get("data", {}):
            # What a process remembers is there.
            ways.fast.open(path, **whole(request))
        with asked_of(db.engine) as asked:
            answer = ways.fast.open(path, **whole(request))
        assert answer.status_code < 400
        assert (len(asked.statements), asked.commits, asked.objects) == (
            (statements, commits, [])
        ), (path, asked.statements)
    assert ways.passed_by == 0


def test_a_context_costs_two_statements_more(ways: Ways, account: Made):
    app, person_id = an_app(first_party=True, application="crm"), a_person()
    a_member(account.id, person_id, roles=[account.admin_role])
    tokens = tokens_for(ways.flask, app, person_id=person_id, account=account.id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked_for = {"data": {"token": tokens["access_token"]}, "headers": app.basic}
    refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = sent(ways, person_id, a_query(app, account=account.id))
    statements, commits = REFRESH
    budgets: list[tuple[str, dict[str, Any], int, int]] = [
        ("/introspect", {"method": "POST", **asked_for}, 1 + 2, 0),
        ("/userinfo", {"method": "GET", "headers": bearer}, 1 + 2, 0),
        (
            "/token",
            {"method": "POST", "data": refreshing, "headers": app.basic},
            statements + 2,
            commits,
        ),
        ("/authorize", {"method": "GET", **again}, 4 + 2, 1),
    ]
    for path, request, statements, commits in budgets:
        if path != "/token":
            ways.fast.open(path, **whole(request))
        with asked_of(db.engine) as asked:
            answer = ways.fast.open(path, **whole(request))
        assert answer.status_code < 400
        assert (len(asked.statements), asked.commits, asked.objects) == (
            (statements, commits, [])
        ), (path, asked.statements)
    assert ways.passed_by == 0
