from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from idp.protocol import acr
from idp.protocol.acr import Wanted
from idp.sign_in.policy import (
    FlowFacts,
    SecondFactor,
    SessionFacts,
    Step,
    missing_step,
    second_factor,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANNA, BERT = UUID(int=1), UUID(int=2)
FLOW = FlowFacts(
    created_at=NOON,
    has_address=False,
    first_factor_of=None,
    mailbox_is_proved=False,
    password_first=False,
)
SESSION = SessionFacts(
    person_id=ANNA,
    auth_time=NOON - timedelta(hours=1),
    acr=acr.MAIL_CODE,
    has_authenticator=False,
)
TWO = (acr.TWO_FACTOR,)


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("app", "passkey", "remembered", "proved", "asked"),
    [
        (False, False, False, False, SecondFactor.MAILED_CODE),
        (True, False, False, False, SecondFactor.AUTHENTICATOR),
        (False, True, False, False, SecondFactor.PASSKEY),
        (True, True, False, False, SecondFactor.PASSKEY),
        (False, False, True, False, SecondFactor.NONE),
        (True, False, True, False, SecondFactor.NONE),
        (False, True, True, False, SecondFactor.NONE),
        (False, False, False, True, SecondFactor.NONE),
        (True, False, False, True, SecondFactor.AUTHENTICATOR),
        (False, True, False, True, SecondFactor.PASSKEY),
    ],
)
def test_a_second_factor_is_asked_at_every_device_that_is_not_remembered(
    app, passkey, remembered, proved, asked
):
    assert (
        second_factor(
            has_authenticator=app,
            has_passkey=passkey,
            device_is_remembered=remembered,
            mailbox_is_proved=proved,
        )
        is asked
    )


@pytest.mark.parametrize(
    ("flow", "session", "wanted", "step"),
    [
        ({}, None, {}, Step.ADDRESS),
        ({"has_address": True}, None, {}, Step.PASSWORD),
        ({"has_address": True, "first_factor_of": ANNA}, None, {}, Step.CODE),
        ({"has_address": True, "needs_new_password": True}, None, {}, Step.NEW_PASSWORD),
        (
            {"has_address": True, "needs_new_password": True, "first_factor_of": ANNA},
            None,
            {},
            Step.NEW_PASSWORD,
        ),
        ({}, {}, {}, None),
        ({}, {}, {"prompt_login": True}, Step.ADDRESS),
        ({"has_address": True}, {}, {"prompt_login": True}, Step.PASSWORD),
        ({}, {"auth_time": NOON}, {"prompt_login": True}, None),
        ({}, {}, {"max_age": 3600}, None),
        ({}, {}, {"max_age": 3599}, Step.ADDRESS),
        ({}, {"auth_time": NOON}, {"max_age": 0}, None),
        ({"password_first": True, "has_address": True}, {}, {}, Step.PASSWORD),
        ({"password_first": True}, {"auth_time": NOON}, {}, None),
        ({}, {}, {"person_id": ANNA}, None),
        ({}, {}, {"person_id": BERT}, Step.ADDRESS),
        ({"has_address": True}, {}, {"person_id": BERT}, Step.PASSWORD),
        ({"has_address": True, "first_factor_of": BERT}, {}, {"person_id": BERT}, Step.CODE),
    ],
)
def test_the_missing_page_follows_from_what_is_true(flow, session, wanted, step):
    facts = replace(SESSION, **session) if session is not None else None

    assert missing_step(replace(FLOW, **flow), facts, Wanted(**wanted), NOON) is step


@pytest.mark.product("ID-6")
@pytest.mark.security("4.4")
@pytest.mark.security("4.9")
@pytest.mark.parametrize(
    ("reached", "app", "proved", "wanted", "step"),
    [
        (acr.MAIL_CODE, False, False, TWO, Step.ENROLMENT),
        (acr.MAIL_CODE, True, False, TWO, Step.CODE),
        (acr.SINGLE_FACTOR, True, False, TWO, Step.CODE),
        (acr.SINGLE_FACTOR, False, False, (acr.MAIL_CODE, acr.TWO_FACTOR), Step.CODE),
        (acr.SINGLE_FACTOR, False, True, (acr.MAIL_CODE, acr.TWO_FACTOR), Step.ENROLMENT),
        (acr.MAIL_CODE, False, False, (acr.MAIL_CODE, acr.TWO_FACTOR), None),
        (acr.TWO_FACTOR, True, False, TWO, None),
        (acr.TWO_FACTOR, True, False, acr.LOWEST_FIRST, None),
    ],
)
def test_a_session_that_is_too_weak_is_stepped_up(reached, app, proved, wanted, step):
    flow = replace(FLOW, mailbox_is_proved=proved)
    session = replace(SESSION, acr=reached, has_authenticator=app)

    assert missing_step(flow, session, Wanted(acr=wanted), NOON) is step


@pytest.mark.product("ID-6")
def test_a_passkey_steps_up_as_an_app_does():
    session = replace(SESSION, has_passkey=True)

    assert missing_step(FLOW, session, Wanted(acr=TWO), NOON) is Step.CODE
