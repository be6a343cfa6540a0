import pytest

from idp.sign_in.outcomes import Throttled
from idp.sign_in.waiting import told_to_wait, too_many
from kernel.i18n import speaking


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("throttled", "words"),
    [
        (Throttled(60, for_good=False), "Try again in 1 minute, or set a new password."),
        (Throttled(61, for_good=False), "Try again in 2 minutes, or set a new password."),
        (Throttled(1, for_good=True), "Set a new password to go on."),
    ],
)
def test_who_tried_too_often_is_told_what_helps(identity_app, throttled, words):
    with speaking("en"):
        assert words in told_to_wait(throttled)


def test_a_program_reads_how_long_to_wait(identity_app):
    with identity_app.test_request_context():
        answer = too_many("the page", Throttled(61, for_good=False))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "61")
    assert answer.get_data(as_text=True) == "the page"
