"""Operators see what could not be delivered, and send it again."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from idp.app import create_app
from idp.settings import IdentitySettings
from kernel.outbox import Lane, Undeliverable, Worker
from kernel.outbox.models import State
from tenants.database import db
from tenants.outbox import OutboxMessage, outbox
from tests.conftest import NOON


def refuse(_message: object) -> None:
    raise Undeliverable("gone")


@pytest.fixture
def give_up(run) -> Callable[[], UUID]:
    """`give_up()`: a message that its receiver will not have."""
    app = create_app(IdentitySettings())

    def put_and_refuse() -> UUID:
        with app.app_context():
            with db.transaction() as session:
                message_id = outbox.put(
                    session,
                    lane=Lane.SECURITY,
                    kind="logout-token",
                    destination="sample",
                    payload={"token": "canary-of-the-payload"},
                    now=NOON - timedelta(days=1),
                )
            Worker(app, db, outbox, handlers={"logout-token": refuse}).run_once(NOON)
        return message_id

    return put_and_refuse


def state_of(message_id: UUID) -> str:
    with create_app(IdentitySettings()).app_context(), db.reading() as session:
        message = session.get(OutboxMessage, message_id)
        assert message
        return message.state


@pytest.mark.security("18.3")
def test_what_was_given_up_is_listed_without_what_it_said(ask, run, give_up):
    message_id = give_up()

    (listed,) = ask("outbox", "dead")

    assert (listed["id"], listed["kind"], listed["destination"]) == (
        str(message_id),
        "logout-token",
        "sample",
    )
    assert (listed["attempts"], listed["last_error"]) == (1, "Undeliverable")
    assert str(message_id) in run("outbox", "dead").stdout
    assert "canary" not in run("outbox", "dead").stdout + str(listed)


@pytest.mark.security("18.3")
def test_a_chosen_message_is_sent_again(ask, run, give_up):
    chosen, other = give_up(), give_up()

    said = run("outbox", "retry", str(chosen)).stdout

    assert said == "1 will be sent again\n"
    assert (state_of(chosen), state_of(other)) == (State.WAITING, State.DEAD)


def test_all_messages_are_sent_again(run, give_up):
    ids = [give_up(), give_up()]

    run("outbox", "retry", "--all")

    assert {state_of(message_id) for message_id in ids} == {State.WAITING}


def test_a_message_that_is_not_there_is_not_sent(run):
    assert run("outbox", "retry", str(uuid4())).stdout == "0 will be sent again\n"
