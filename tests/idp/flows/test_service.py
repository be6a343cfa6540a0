from datetime import timedelta

import pytest

from idp.flows import service as flows
from idp.flows.service import FlowExpired
from tenants.database import db

pytestmark = pytest.mark.usefixtures("identity_app")

BROWSER = b"b" * 32
OTHER = b"o" * 32


def a_flow(now, **facts):
    with db.transaction() as session:
        return flows.start(session, **{"browser_hash": BROWSER, "now": now, **facts})


def load(flow_id, now, browser=BROWSER):
    with db.reading() as session:
        return flows.load(session, flow_id, browser, now)


def test_a_flow_is_found_by_its_browser(now):
    flow = a_flow(now, return_to="/account")

    assert load(flow.id, now).return_to == "/account"
    assert load(str(flow.id), now).id == flow.id


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("/account?a=1", "/account?a=1"),
        ("/account?a=" + "a" * 5000, "/account"),
        ("/" + "a" * 5000, "/"),
    ],
)
def test_a_page_asked_for_with_too_much_is_the_page_alone(now, asked, kept):
    flow = a_flow(now, return_to=asked)

    assert load(flow.id, now).return_to == kept


@pytest.mark.security("2.7")
@pytest.mark.security("6.11")
def test_a_flow_is_unknown_in_another_browser(now):
    flow = a_flow(now, request={"client_id": "portal"})

    with pytest.raises(FlowExpired) as refused:
        load(flow.id, now, OTHER)

    assert refused.value.request is None


@pytest.mark.parametrize(
    "flow_id", [None, "", "not-an-id", "a6e7e5e0-5f0e-4c6a-9d2c-2a4f8a1f2b11", "0" * 5000]
)
def test_what_names_no_flow_is_refused_the_same(now, flow_id):
    with pytest.raises(FlowExpired):
        load(flow_id, now)


@pytest.mark.security("2.7")
def test_a_flow_lives_a_quarter_of_an_hour_and_says_then_what_it_was_about(now):
    flow = a_flow(now, request={"client_id": "portal"}, email="anna@example.com")

    assert load(flow.id, now + timedelta(minutes=14, seconds=59)).id == flow.id
    with pytest.raises(FlowExpired) as over:
        load(flow.id, now + timedelta(minutes=15))

    assert over.value.request == {"client_id": "portal"}
    assert over.value.email == "anna@example.com"


def test_a_flow_is_finished_once(now):
    flow = a_flow(now)

    with db.transaction() as session:
        answers = [flows.finish(session, flow.id, now=now) for _ in range(2)]

    assert answers == [True, False]
    with pytest.raises(FlowExpired):
        load(flow.id, now)


def test_a_flow_that_begins_again_keeps_its_goal_and_proves_nothing(now):
    flow = a_flow(now, request={"client_id": "portal"}, email="anna@example.com")

    with db.transaction() as session:
        old = flows.lock(session, flow.id, BROWSER, now)
        old.mailbox_proven_at = now
        fresh = flows.restart(session, old, now=now)

    assert (fresh.request, fresh.email) == ({"client_id": "portal"}, "anna@example.com")
    assert fresh.mailbox_proven_at is None
    assert fresh.password_first
    with pytest.raises(FlowExpired):
        load(flow.id, now)
