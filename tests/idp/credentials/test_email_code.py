from datetime import timedelta

import pytest

from idp.credentials import email_code
from idp.credentials.email_code import Purpose, digits_of
from idp.credentials.models import EmailCode
from idp.flows import service as flows
from tenants.database import db
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")


@pytest.fixture
def flow_id(identity_app, now):
    with db.transaction() as session:
        return flows.start(session, browser_hash=b"b" * 32, now=now).id


def issue(flow_id, now, purpose=Purpose.SIGN_IN, recipient="anna"):
    with db.transaction() as session:
        return email_code.issue(
            session, flow_id=flow_id, purpose=purpose, recipient=recipient, now=now
        )


def redeem(flow_id, text, now, purpose=Purpose.SIGN_IN, recipient="anna"):
    with db.transaction() as session:
        return email_code.redeem(
            session, flow_id=flow_id, purpose=purpose, recipient=recipient, text=text, now=now
        )


@pytest.mark.product("ID-6")
def test_a_code_has_eight_digits_and_works_once(flow_id, now):
    code = issue(flow_id, now)

    assert len(code) == 8
    assert code.isdigit()
    assert [redeem(flow_id, code, now) for _ in range(2)] == [True, False]


def test_a_code_may_be_typed_with_spaces(flow_id, now):
    code = issue(flow_id, now)

    assert redeem(flow_id, f" {code[:4]} {code[4:]} ", now)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.1")
def test_a_code_is_valid_for_ten_minutes(flow_id, now):
    code = issue(flow_id, now)

    assert not redeem(flow_id, code, now + timedelta(minutes=10))
    assert redeem(flow_id, code, now + timedelta(minutes=9, seconds=59))


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
def test_after_five_wrong_tries_the_right_code_is_refused(flow_id, now):
    code = issue(flow_id, now)
    wrong = f"{(int(code) + 1) % 10**8:08d}"

    for _ in range(5):
        assert not redeem(flow_id, wrong, now)

    assert not redeem(flow_id, code, now)


@pytest.mark.security("3.1")
def test_a_newer_code_voids_the_older_one(flow_id, now):
    old, new = issue(flow_id, now), issue(flow_id, now)

    assert not redeem(flow_id, old, now)
    assert redeem(flow_id, new, now)


@pytest.mark.security("2.7")
@pytest.mark.security("3.1")
def test_a_code_counts_for_its_purpose_its_recipient_and_its_flow_alone(flow_id, now):
    code = issue(flow_id, now)
    with db.transaction() as session:
        other_flow = flows.start(session, browser_hash=b"b" * 32, now=now).id

    assert not redeem(flow_id, code, now, purpose=Purpose.RESET)
    assert not redeem(flow_id, code, now, recipient="bert")
    assert not redeem(other_flow, code, now)
    assert redeem(flow_id, code, now)


@pytest.mark.security("3.1")
def test_the_code_itself_is_not_stored(flow_id, now):
    code = issue(flow_id, now)

    with db.reading() as session:
        row = session.query(EmailCode).one()

    assert code.encode() not in row.code_hash
    assert len(row.code_hash) == 32


@pytest.mark.product("ID-6")
@pytest.mark.security("15.2")
def test_of_fifty_who_use_a_code_at_once_one_gets_through(identity_app, flow_id, now):
    code = issue(flow_id, now)

    answers = all_at_once(identity_app, 50, lambda: redeem(flow_id, code, now))

    assert answers.count(True) == 1
    assert answers.count(False) == 49


@pytest.mark.security("4.2")
@pytest.mark.security("15.2")
def test_fifty_wrong_codes_at_once_use_up_five_tries(identity_app, flow_id, now):
    code = issue(flow_id, now)
    wrong = f"{(int(code) + 1) % 10**8:08d}"

    all_at_once(identity_app, 50, lambda: redeem(flow_id, wrong, now))

    with db.reading() as session:
        assert session.query(EmailCode).one().tries == 5
    assert not redeem(flow_id, code, now)


def test_whether_a_code_can_be_typed_is_known(flow_id, now):
    def was_sent(at):
        with db.reading() as session:
            return email_code.was_sent(session, flow_id=flow_id, purpose=Purpose.SIGN_IN, now=at)

    before = was_sent(now)
    issue(flow_id, now)

    assert (before, was_sent(now), was_sent(now + timedelta(minutes=10))) == (False, True, False)


@pytest.mark.parametrize("text", ["", "abc", "١٢٣٤٥٦٧٨", "12345678" * 3, "1234.5678", "²34"])
def test_what_is_not_digits_is_no_code(text):
    assert digits_of(text) is None
