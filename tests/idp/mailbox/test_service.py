import pytest

from idp.flows import service as flows
from idp.mailbox import service as mailbox
from idp.mailbox.service import LinkSpent, NoFlow, Purpose
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser, a_flow, load
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"


def ask(now, flow_id=None, email=ANNA, **browser):
    return mailbox.ask(
        flow_id,
        purpose=Purpose.RESET,
        email=email,
        browser=a_browser(**browser),
        return_to="/account",
        now=now,
    )


def by_link(token, now, **browser):
    return mailbox.prove_by_link(
        token,
        purpose=Purpose.RESET,
        browser=a_browser(**browser),
        return_to="/account",
        now=now,
    )


def token_of(mailroom):
    return mailroom.link_to(ANNA).partition("token=")[2]


def test_without_a_flow_one_begins(now):
    asked = ask(now)

    flow = load(str(asked.flow_id), now)
    assert (flow.email, flow.return_to) == (ANNA, "/account")


def test_a_new_address_in_a_flow_undoes_what_was_proved(now):
    flow_id = a_flow(now)
    with db.transaction() as session:
        flows.lock(session, flow_id, b"b" * 32, now).mailbox_proven_at = now

    ask(now, flow_id, "bert@example.com")

    assert load(flow_id, now).mailbox_proven_at is None


def test_to_ask_again_takes_an_address(now):
    with pytest.raises(NoFlow):
        ask(now, a_flow(now, None), None)
    with pytest.raises(NoFlow):
        mailbox.prove_by_code(
            a_flow(now, None), purpose=Purpose.RESET, text="1", browser=a_browser(), now=now
        )


@pytest.mark.security("3.1")
@pytest.mark.security("15.2")
def test_of_fifty_who_open_one_link_at_once_one_proves_the_mailbox(identity_app, now, mailroom):
    a_person()
    ask(now)
    token = token_of(mailroom)

    answers = all_at_once(identity_app, 50, lambda: by_link(token, now))

    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert sum(isinstance(answer, LinkSpent) for answer in answers) == 49


@pytest.mark.security("3.11")
def test_mails_from_one_place_are_capped_over_all_addresses(now, mailroom):
    for number in range(70):
        ask(now, email=f"person{number}@example.com")

    assert len(mailroom.deliver()) == 60
