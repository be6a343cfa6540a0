import pytest

from idp.account.words import EVENTS, MEANS, wait
from idp.sign_in.outcomes import Throttled
from kernel.i18n import speaking


@pytest.mark.parametrize(
    ("throttled", "words"),
    [
        (Throttled(30, for_good=False), "Try again in 1 minute."),
        (Throttled(61, for_good=False), "Try again in 2 minutes."),
        (Throttled(1, for_good=True), "Sign out, and set a new password"),
    ],
)
def test_who_tried_too_often_is_told_what_helps(identity_app, throttled, words):
    with speaking("en"):
        assert words in wait(throttled)


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize("words", [EVENTS, MEANS])
def test_everything_in_the_history_has_polish_words(identity_app, words):
    for each in words.values():
        with speaking("pl"):
            polish = str(each)
        with speaking("en"):
            assert polish != str(each)
