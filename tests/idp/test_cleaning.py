from datetime import timedelta

import pytest

from idp import cleaning
from idp.credentials import email_code, mailed_link, passkeys
from idp.credentials.email_code import Purpose
from idp.credentials.models import EmailCode, PasskeyChallenge
from idp.credentials.passkeys import Ceremony
from idp.flows import service as flows
from idp.flows.models import Flow
from idp.lost_factors import decisions
from idp.not_me import links
from tenants.database import db
from tenants.people.address import canonical_email
from tests.idp.lost_factors.requests import a_request
from tests.idp.visitor import a_person


@pytest.mark.security("18.7")
def test_what_has_been_over_for_a_day_is_removed_and_the_rest_stays(identity_app, now):
    with db.transaction() as session:
        for started_at in (now - timedelta(days=2), now):
            flow = flows.start(session, browser_hash=b"b" * 32, now=started_at)
            email_code.issue(
                session, flow_id=flow.id, purpose=Purpose.SIGN_IN, recipient="x", now=started_at
            )
            passkeys.issue_challenge(
                session, ceremony=Ceremony.ADDING, browser_hash=b"b" * 32, now=started_at
            )

    removed = [cleaning.clean(now) for _ in range(2)]

    assert removed == [3, 0]
    with db.reading() as session:
        assert session.query(Flow).count() == session.query(EmailCode).count() == 1
        assert session.query(PasskeyChallenge).count() == 1


@pytest.mark.product("ID-10")
@pytest.mark.security("18.7")
def test_who_opens_an_old_welcome_link_is_offered_a_new_one_for_three_months(identity_app, now):
    with db.transaction() as session:
        for purpose in (Purpose.WELCOME, Purpose.RESET):
            mailed_link.issue(
                session,
                address=canonical_email("anna@example.com"),
                purpose=purpose,
                flow_id=None,
                now=now,
            )

    removed = [cleaning.clean(now + timedelta(days=days)) for days in (2, 90, 91)]

    assert removed == [1, 0, 1]


@pytest.mark.security("18.7")
def test_how_to_reach_somebody_is_forgotten_three_months_after_the_request_ended(identity_app, now):
    refused, _ = a_request(a_person(), now)
    a_request(a_person("bert@example.com"), now, days=14)
    decisions.refuse(refused, reason="Nobody picked up.", by="Jan", now=now)

    removed = [cleaning.clean(now + timedelta(days=days)) for days in (90, 91, 104, 105)]

    assert removed == [0, 1, 0, 1]


@pytest.mark.security("18.7")
def test_the_link_of_a_notice_goes_a_day_after_its_end(identity_app, now):
    person_id = a_person()
    with db.transaction() as session:
        links.issue(session, person_id=person_id, notice="new_device", now=now)
    end = now + links.lifetime()

    removed = [cleaning.clean(end + timedelta(days=days, seconds=1)) for days in (0, 1, 1)]

    assert removed == [0, 1, 0]


@pytest.mark.security("18.7")
def test_more_than_a_batch_goes_in_one_round(identity_app, now):
    long_ago = now - timedelta(days=3)
    with db.transaction() as session:
        for _ in range(1_001):
            flows.start(session, browser_hash=b"b" * 32, now=long_ago)

    assert cleaning.clean(now) == 1_001
