"""What a request leaves behind in the tables."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from idp.clients import service as clients
from idp.sessions.models import BrowserSession
from kernel import clock
from tenants.database import db
from tests.idp.provider import (
    CALLBACK,
    VERIFIER,
    a_code,
    a_person,
    a_query,
    allow,
    an_app,
    answer_of,
    tokens_for,
    trade_code,
)
from tests.two_ways.ways import Ways, leaves, seen, sent, whole


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
@pytest.mark.parametrize("public", [False, True])
def test_refreshing_retrying_and_replaying_leave_the_same_behind(ways: Ways, public: bool):
    method = clients.NONE if public else clients.SECRET_BASIC
    app = an_app(first_party=True, token_endpoint_auth_method=method)
    mine = {"client_id": app.id} if public else {}
    headers = {} if public else app.basic

    def story(client: Client) -> Any:
        first = tokens_for(ways.flask, app)["refresh_token"]

        def use(token: str, **more: str) -> TestResponse:
            form = {"grant_type": "refresh_token", "refresh_token": token} | mine | more
            return client.post("/token", data=form, headers=headers, **whole({}))

        answers = [use(first)]
        second = answers[0].get_json()["refresh_token"]
        answers += [use(first), use(second, scope="openid"), use(first, scope="email"), use(second)]
        if not public:
            assert answers[1].get_data() == answers[0].get_data()
        return [seen(answer) for answer in answers]

    fast, flask = leaves(ways.fast, story), leaves(ways.flask, story)

    assert _without_sign_in(fast) == _without_sign_in(flask)
    assert ways.passed_by == 0


def _without_sign_in(told: Any) -> str:
    """Each story has a sign-in of its own: what it is called and when it was differs."""
    answers, changed = told

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: clean(each)
                for name, each in value.items()
                if name not in {"sub", "sid", "gid", "auth_time"}
            }
        if isinstance(value, list | tuple):
            return [clean(each) for each in value]
        return value

    return repr((clean(answers), changed))


@pytest.mark.product("OP-1")
def test_trading_a_code_and_replaying_it_leave_the_same_behind(ways: Ways):
    app = an_app()

    def story(client: Client) -> Any:
        person_id = a_person()
        allow(app, person_id, scopes=("openid", "email", "offline_access"))
        form = {
            "grant_type": "authorization_code",
            "code": a_code(app, now=clock.now(), person_id=person_id),
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        wrong = form | {"code_verifier": VERIFIER[::-1]}
        answers = [
            client.post("/token", data=each, headers=app.basic, **whole({}))
            for each in (wrong, form, form)
        ]
        assert [answer.status_code for answer in answers] == [400, 200, 400]
        return [seen(answer) for answer in answers]

    fast, flask = leaves(ways.fast, story), leaves(ways.flask, story)

    assert _without_sign_in(fast) == _without_sign_in(flask)
    assert ways.passed_by == 0


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_code_over_a_live_session_leaves_the_same_behind(ways: Ways, prompt: str | None):
    """That the session was used is noted, unless a program asked by itself."""
    app = an_app(first_party=True)
    began, later = clock.now(), clock.now() + timedelta(minutes=2)

    def story(client: Client) -> Any:
        person_id = a_person()
        asked = sent(ways, person_id, a_query(app, prompt=prompt), now=began)
        with time_machine.travel(later, tick=False):
            answers = [client.get("/authorize", **whole(asked)) for _ in range(2)]
            trade_code(ways.app.test_client(), app, answer_of(answers[0])["code"])
        with db.reading() as session:
            seen_at = session.scalars(
                select(BrowserSession.last_seen_at).where(BrowserSession.person_id == person_id)
            ).one()
        return [seen(answer) for answer in answers], seen_at

    fast, flask = leaves(ways.fast, story), leaves(ways.flask, story)

    assert fast == flask
    assert fast[0][1] == (began if prompt else later)
    assert (fast[1]["grants"], fast[1]["application_sessions"], fast[1]["flows"]) == (2, 1, 0)
    assert ways.passed_by == 0
