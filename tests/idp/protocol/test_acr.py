from datetime import timedelta

import pytest

from idp.protocol import acr
from idp.protocol.acr import Wanted
from kernel.ids import new_id
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def test_a_higher_class_answers_for_a_lower_one():
    assert acr.acceptable([acr.SINGLE_FACTOR]) == acr.LOWEST_FIRST
    assert acr.acceptable([acr.TWO_FACTOR]) == (acr.TWO_FACTOR,)


def test_unknown_classes_ask_for_nothing():
    assert acr.acceptable(["1", "2"]) is None
    assert acr.satisfies(acr.SINGLE_FACTOR, None)


def test_a_mailed_code_is_never_two_factors():
    assert not acr.satisfies(acr.MAIL_CODE, acr.acceptable([acr.TWO_FACTOR]))


def test_without_a_hint_anybody_will_do():
    anna, bartek = new_id(), new_id()

    assert Wanted().is_by(anna)
    assert Wanted(person_id=anna).is_by(anna)
    assert not Wanted(person_id=anna).is_by(bartek)


@pytest.mark.parametrize(
    ("wanted", "began_at", "again", "recent"),
    [
        (Wanted(), None, False, True),
        (Wanted(), None, True, False),
        (Wanted(prompt_login=True), None, False, False),
        (Wanted(prompt_login=True), NOON, False, False),
        (Wanted(max_age=3_600), None, False, True),
        (Wanted(max_age=3_599), None, False, False),
        (Wanted(max_age=0, prompt_login=True), NOON - HOUR, True, True),
    ],
)
def test_a_sign_in_of_an_hour_ago_is_recent_enough(wanted, began_at, again, recent):
    assert wanted.is_recent(NOON - HOUR, flow_began_at=began_at, again=again, now=NOON) is recent
