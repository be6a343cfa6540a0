from datetime import timedelta
from uuid import UUID

import pytest

from idp.sign_in import throttle
from idp.sign_in.throttle import Guesser
from kernel.limits import Refusal, Taken
from tenants.database import db
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")

STRANGER = Guesser("anna@example.com", None, "192.0.2.1", 300)
ELSEWHERE = Guesser("anna@example.com", None, "192.0.2.2", 300)
DEVICE = UUID(int=7)
OWNER = Guesser("anna@example.com", DEVICE, "192.0.2.9", 300)


def guess(guesser, now):
    with db.transaction() as session:
        return throttle.take(session, throttle.password_tries(guesser), now=now)


@pytest.mark.security("2.1")
def test_five_wrong_passwords_in_a_row_are_free_and_then_one_waits(now):
    answers = [guess(STRANGER, now) for _ in range(6)]

    assert [type(answer) for answer in answers] == [Taken] * 5 + [Refusal]
    assert answers[4].was_last
    assert answers[5].retry_after(now) == 30


@pytest.mark.security("2.1")
def test_guesses_from_elsewhere_count_together(now):
    for _ in range(5):
        guess(STRANGER, now)

    assert isinstance(guess(ELSEWHERE, now), Refusal)


@pytest.mark.security("2.2")
def test_the_delay_grows_and_never_passes_a_quarter_of_an_hour(now):
    delays = []
    for _ in range(30):
        while isinstance(answer := guess(STRANGER, now), Taken):
            pass
        delays.append(answer.retry_after(now))
        now = answer.retry_at

    assert delays[:6] == [30, 60, 120, 240, 480, 900]
    assert max(delays) == 900


@pytest.mark.security("2.1")
def test_after_a_hundred_failures_in_a_row_only_recovery_helps(now):
    tries = 0
    while True:
        answer = guess(STRANGER, now)
        if isinstance(answer, Taken):
            tries += 1
        elif answer.for_good:
            break
        else:
            now = answer.retry_at

    assert tries == 100
    assert isinstance(guess(STRANGER, now + timedelta(days=300)), Refusal)
    with db.transaction() as session:
        throttle.forget_passwords(session, email_key="anna@example.com", device_id=None)
    assert isinstance(guess(STRANGER, now), Taken)


@pytest.mark.security("2.2")
def test_the_owners_device_is_not_held_up_by_what_strangers_do(now):
    while isinstance(guess(STRANGER, now), Taken):
        pass

    assert isinstance(guess(OWNER, now), Taken)


def test_a_known_device_waits_too_when_its_owner_cannot_remember(now):
    answers = [guess(OWNER, now) for _ in range(11)]

    assert [type(answer) for answer in answers] == [Taken] * 10 + [Refusal]


@pytest.mark.security("2.1")
def test_one_place_may_try_so_often_over_all_addresses(now):
    answers = [
        guess(Guesser(f"person{number}@example.com", None, "192.0.2.1", 20), now)
        for number in range(21)
    ]

    assert [type(answer) for answer in answers] == [Taken] * 20 + [Refusal]


@pytest.mark.security("2.1")
@pytest.mark.security("15.2")
def test_fifty_guesses_at_once_do_not_pass_the_limit(identity_app, now):
    answers = all_at_once(identity_app, 50, lambda: guess(STRANGER, now))

    assert sum(isinstance(answer, Taken) for answer in answers) == 5
    assert sum(isinstance(answer, Refusal) for answer in answers) == 45


@pytest.mark.security("4.2")
def test_codes_are_counted_for_the_person_over_all_flows(now):
    def take(device_id=None):
        with db.transaction() as session:
            tries = throttle.code_tries(person_id=UUID(int=1), device_id=device_id)
            return throttle.take(session, tries, now=now)

    answers = [take() for _ in range(11)]

    assert isinstance(answers[-1], Refusal)
    assert isinstance(take(DEVICE), Taken)
    with db.transaction() as session:
        throttle.forget_codes(session, person_id=UUID(int=1), device_id=DEVICE)
    assert isinstance(take(), Taken)
