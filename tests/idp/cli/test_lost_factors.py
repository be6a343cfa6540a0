"""The operator decides with a proof and a name, and reads who asks."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from idp.cli.application import in_application
from idp.lost_factors.decisions import AlreadyDecided, Incomplete
from kernel.errors import NotFound
from tests.idp.lost_factors.requests import ANNA, a_request, anna_with_an_app


@pytest.fixture
def request_id(run):
    """Anna's request, in the database of the command line."""

    @in_application
    def make():
        now = datetime.now(UTC)
        return a_request(anna_with_an_app(now), now)[0]

    return str(make())


def decide(ask, verb, request_id, *said):
    return ask("person", "lost-factors", verb, request_id, *said, "--by", "Jan Nowak")


@pytest.mark.product("OPS-3")
@pytest.mark.product("ID-6")
def test_a_request_is_listed_and_shown_with_all_that_helps_to_decide(ask, run, request_id):
    [listed] = ask("person", "lost-factors", "list")
    shown = ask("person", "lost-factors", "show", request_id)

    assert listed["id"] == request_id
    assert shown["email"] == ANNA
    assert (shown["state"], shown["contact"]) == ("asked", "+48 600 700 800")
    assert (shown["authenticator_app"], shown["passkeys"]) == (True, 0)
    assert ANNA in run("person", "lost-factors", "list").stdout
    assert "+48 600 700 800" in run("person", "lost-factors", "show", request_id).stdout


def test_where_nothing_is_asked_the_list_says_so(run):
    assert "nothing is asked for" in run("person", "lost-factors", "list").stdout


@pytest.mark.security("3.6")
def test_approving_needs_a_proof_and_starts_to_wait(ask, run, request_id):
    run("person", "lost-factors", "approve", request_id, "--by", "Jan", status=2)
    run("person", "lost-factors", "approve", request_id, "--proof", "card", status=2)

    made = decide(ask, "approve", request_id, "--proof", "Identity card")

    assert (made["state"], made["proof"], made["decided_by"]) == (
        "waiting",
        "Identity card",
        "Jan Nowak",
    )


@pytest.mark.security("3.6")
def test_an_empty_proof_is_none(run, request_id):
    words = ("approve", request_id, "--proof", " ", "--by", "Jan")

    result = run("person", "lost-factors", *words, status=1)

    assert isinstance(result.exception, Incomplete)


def test_a_refusal_ends_it_and_is_listed_on_demand(ask, run, request_id):
    made = decide(ask, "refuse", request_id, "--reason", "Nobody picked up.")

    assert (made["state"], made["reason"]) == ("refused", "Nobody picked up.")
    assert ask("person", "lost-factors", "list") == []
    assert len(ask("person", "lost-factors", "list", "--all")) == 1
    again = run(
        *("person", "lost-factors", "refuse", request_id, "--reason", "x", "--by", "y"), status=1
    )
    assert isinstance(again.exception, AlreadyDecided)


def test_a_request_that_does_not_exist_is_not_found(run):
    result = run("person", "lost-factors", "show", str(uuid4()), status=1)

    assert isinstance(result.exception, NotFound)
    run("person", "lost-factors", "show", "not an id", status=2)
