"""Which step is missing, as a table."""

from datetime import timedelta
from typing import Any

import pytest

from idp.authorize.dispatch import (
    Presence,
    Step,
    asks_again,
    what_is_missing,
    why_not_silently,
)
from idp.protocol import acr
from idp.protocol.acr import Wanted
from kernel.ids import new_id
from tests.conftest import NOON

ANNA, BARTEK = new_id(), new_id()
HOUR = timedelta(hours=1)


def _missing(wanted: Wanted, *, since=None, context=False, consent=False, **presence):
    facts: dict[str, Any] = {
        "person_id": ANNA,
        "auth_time": NOON - HOUR,
        "acr": acr.MAIL_CODE,
    } | presence
    return what_is_missing(
        wanted,
        presence=Presence(**facts),
        flow_began_at=since,
        context_is_open=context,
        consent_is_needed=consent,
        now=NOON,
    )


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("wanted", "facts", "step"),
    [
        (Wanted(), {}, None),
        (Wanted(), {"consent": True}, Step.CONSENT),
        (Wanted(prompt_login=True), {}, Step.SIGN_IN),
        (Wanted(prompt_login=True), {"since": NOON - 2 * HOUR}, None),
        (Wanted(prompt_login=True), {"since": NOON}, Step.SIGN_IN),
        (Wanted(max_age=3_600), {}, None),
        (Wanted(max_age=3_599), {}, Step.SIGN_IN),
        (Wanted(max_age=0), {"auth_time": NOON}, None),
        (Wanted(max_age=0), {"since": NOON - 2 * HOUR}, None),
        (Wanted(person_id=ANNA), {}, None),
        (Wanted(person_id=BARTEK), {}, Step.SIGN_IN),
        (Wanted(acr=(acr.TWO_FACTOR,)), {}, Step.STEP_UP),
        (Wanted(acr=(acr.TWO_FACTOR,)), {"acr": acr.TWO_FACTOR}, None),
        (Wanted(acr=(acr.TWO_FACTOR,)), {"consent": True}, Step.STEP_UP),
        (Wanted(acr=(acr.MAIL_CODE, acr.TWO_FACTOR)), {}, None),
        (Wanted(), {"context": True}, Step.CONTEXT),
        (Wanted(), {"context": True, "consent": True}, Step.CONTEXT),
        (Wanted(acr=(acr.TWO_FACTOR,)), {"context": True}, Step.STEP_UP),
        (Wanted(prompt_login=True), {"context": True}, Step.SIGN_IN),
        (Wanted(after=NOON - HOUR), {}, Step.SIGN_IN),
        (Wanted(after=NOON - HOUR), {"auth_time": NOON}, None),
        (Wanted(after=NOON), {"since": NOON - 2 * HOUR}, Step.SIGN_IN),
    ],
)
def test_the_missing_step(wanted, facts, step):
    assert _missing(wanted, **facts) == step


def test_nobody_signed_in_means_signing_in():
    missing = what_is_missing(
        Wanted(), presence=None, flow_began_at=None, consent_is_needed=True, now=NOON
    )

    assert missing is Step.SIGN_IN


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step.SIGN_IN, "login_required"),
        (Step.STEP_UP, "interaction_required"),
        (Step.CONTEXT, "interaction_required"),
        (Step.CONSENT, "consent_required"),
    ],
)
def test_what_prompt_none_is_told(step, error):
    assert why_not_silently(step).error == error


def test_prompt_consent_asks_until_there_is_an_answer():
    assert asks_again(("consent",), answered=False)
    assert not asks_again(("consent",), answered=True)
    assert not asks_again((), answered=False)
