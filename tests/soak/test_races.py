"""Fifty at once on two nodes, by the hundred rounds: one wins, and no limit is passed."""

import secrets
from collections import Counter

import pytest

from tests.soak.nodes import Application, Nodes
from tests.visitor import Visitor

pytestmark = pytest.mark.usefixtures("timed")


@pytest.fixture(scope="module")
def application(nodes: Nodes) -> Application:
    return Application.of_a_demo_person(nodes)


@pytest.mark.security("6.5", "20.5")
def test_one_code_buys_tokens_once(nodes, application, rounds):
    for _ in range(rounds):
        code = application.a_code()

        answers = nodes.at_once(lambda node, code=code: nodes.post(node, "/token", code))

        won = [answer.json() for answer in answers if answer.ok]
        assert len(won) <= 1
        assert {answer.json()["error"] for answer in answers if not answer.ok} == {"invalid_grant"}
        # Forty-nine others had the code too: whatever it bought is worth nothing any more.
        assert not any(application.refreshes(one["refresh_token"]) for one in won)


@pytest.mark.security("7.4", "20.5")
def test_one_refresh_token_is_renewed_once_and_its_replay_ends_the_family(
    nodes, application, rounds
):
    for _ in range(rounds):
        spent = application.a_refresh_token()

        answers = nodes.at_once(lambda node, spent=spent: nodes.post(node, "/token", spent))

        won = [answer.json() for answer in answers if answer.ok]
        assert len(won) <= 1
        assert not any(application.refreshes(one["refresh_token"]) for one in won)


@pytest.mark.security("2.1", "20.5")
def test_wrong_passwords_never_pass_the_limit(nodes, rounds):
    for _ in range(rounds):
        email = f"{secrets.token_hex(6)}@klucznik.example"
        visitor = Visitor()
        page = visitor.open(f"{nodes.running.identity}/account")
        form = page.form_with("email")
        assert form is not None
        page = visitor.submit(page, form, email=email)
        form = page.form_with("password")
        assert form is not None
        path = form.action.removeprefix(nodes.running.identity)
        cookies = visitor.http.cookies.get_dict()
        fields = form.fields | {"password": "not the right one"}

        answers = nodes.at_once(
            lambda node, path=path, fields=fields, cookies=cookies: nodes.post(
                node, path, fields, cookies=cookies
            )
        )

        counted = Counter(answer.status_code for answer in answers)
        assert set(counted) <= {422, 429}, counted
        # Five are free in a row; the sixth already waits.
        assert counted[422] <= 5, counted
