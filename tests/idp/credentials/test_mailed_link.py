from datetime import timedelta

import pytest

from idp.credentials import mailed_link
from idp.credentials.email_code import Purpose
from idp.credentials.models import MailedLink
from kernel.crypto import hash_token
from tenants.database import db
from tenants.people.address import canonical_email
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")


def issue(now, email="anna@example.com", purpose=Purpose.RESET):
    with db.transaction() as session:
        return mailed_link.issue(
            session, address=canonical_email(email), purpose=purpose, flow_id=None, now=now
        )


def redeem(token, now, purpose=Purpose.RESET):
    with db.transaction() as session:
        return mailed_link.redeem(session, token=token, purpose=purpose, now=now)


@pytest.mark.security("3.1")
def test_a_link_proves_its_address_once(now):
    token = issue(now, "Anna@Example.com")

    assert redeem(token, now).email == "Anna@example.com"
    assert redeem(token, now) is None


@pytest.mark.security("3.1")
def test_a_token_has_256_bits_and_only_its_hash_is_stored(now):
    token = issue(now)

    with db.reading() as session:
        row = session.query(MailedLink).one()

    assert len(token) == 43
    assert row.token_hash == hash_token(token)


@pytest.mark.security("3.1")
def test_a_link_lives_for_an_hour(now):
    token = issue(now)

    assert redeem(token, now + timedelta(minutes=60)) is None
    assert redeem(token, now + timedelta(minutes=59, seconds=59)) is not None


@pytest.mark.security("3.1")
def test_a_newer_link_voids_the_older_one_to_the_same_address(now):
    old, other = issue(now), issue(now, "bert@example.com")
    new = issue(now, "ANNA@example.com")

    assert redeem(old, now) is None
    assert redeem(new, now) is not None
    assert redeem(other, now) is not None


@pytest.mark.security("3.1")
def test_a_link_for_one_purpose_is_no_link_for_another(now):
    token = issue(now, purpose=Purpose.REGISTRATION)

    assert redeem(token, now, Purpose.RESET) is None
    assert redeem(token, now, Purpose.REGISTRATION) is not None


@pytest.mark.security("3.8")
def test_all_links_to_an_address_can_be_voided(now):
    tokens = {
        purpose: issue(now, purpose=purpose) for purpose in (Purpose.RESET, Purpose.REGISTRATION)
    }

    with db.transaction() as session:
        mailed_link.void_all(session, email_key="anna@example.com", now=now)

    assert [redeem(token, now, purpose) for purpose, token in tokens.items()] == [None, None]


@pytest.mark.security("3.2")
def test_looking_at_a_link_spends_nothing(now):
    token = issue(now)

    with db.reading() as session:
        seen = [
            mailed_link.is_open(session, token=token, purpose=Purpose.RESET, now=now)
            for _ in range(2)
        ]

    assert seen == [True, True]
    assert redeem(token, now) is not None


@pytest.mark.security("15.2")
def test_of_fifty_who_open_a_link_at_once_one_gets_through(identity_app, now):
    token = issue(now)

    answers = all_at_once(identity_app, 50, lambda: redeem(token, now))

    assert sum(answer is not None for answer in answers) == 1
    assert not any(isinstance(answer, Exception) for answer in answers)


@pytest.mark.product("ID-10")
def test_a_link_may_be_made_to_live_longer(now):
    with db.transaction() as session:
        token = mailed_link.issue(
            session,
            address=canonical_email("anna@example.com"),
            purpose=Purpose.WELCOME,
            flow_id=None,
            lifetime=timedelta(hours=72),
            now=now,
        )

    assert redeem(token, now + timedelta(hours=72), Purpose.WELCOME) is None
    assert redeem(token, now + timedelta(hours=71), Purpose.WELCOME) is not None


def test_to_whom_a_link_was_mailed_is_known_when_it_is_spent(now):
    token = issue(now)
    redeem(token, now)

    with db.reading() as session:
        assert recipient(session, token, Purpose.RESET) == "anna@example.com"
        assert recipient(session, token, Purpose.WELCOME) is None


def recipient(session, token, purpose):
    return mailed_link.recipient_of(session, token=token, purpose=purpose)


def test_links_of_one_purpose_are_voided_and_others_stay(now):
    reset, welcome = issue(now), issue(now, purpose=Purpose.WELCOME)

    with db.transaction() as session:
        mailed_link.void_all(
            session, email_key="anna@example.com", purpose=Purpose.WELCOME, now=now
        )

    assert redeem(welcome, now, Purpose.WELCOME) is None
    assert redeem(reset, now) is not None
