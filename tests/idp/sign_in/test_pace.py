"""Time is told by the tests: what waits is written down, and nobody waits."""

import threading

import pytest

from idp.credentials.hashing import Verdict, hashing
from idp.sign_in.outcomes import Wrong
from idp.sign_in.pace import _SAMPLES, Pace, pace, slowness
from kernel.errors import Overloaded
from tests.idp.credentials.vectors import BCRYPT, THEIRS
from tests.idp.sign_in.test_password import a_device, a_flow, an_imported_person, prove
from tests.idp.visitor import a_person


class Clock:
    """Says what time it is, and notes who sleeps for how long."""

    def __init__(self):
        self.at = 1000.0
        self.slept = []

    def __call__(self):
        return self.at

    def sleep(self, seconds):
        self.slept.append(round(seconds, 3))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def even(clock):
    return Pace(threads=4, slowness=lambda: 1.0, monotonic=clock, sleep=clock.sleep)


@pytest.mark.security("2.4")
@pytest.mark.parametrize("spent", [0.001, 0.019, 0.25])
def test_a_wrong_answer_takes_as_long_as_one_to_the_dearest_hash(even, clock, spent):
    seconds = even.seconds(250, "")

    with even.attempt(seconds) as wait:
        wait(spent)

    assert clock.slept[0] + spent == pytest.approx(seconds)
    assert seconds == pytest.approx(0.375)


def test_nobody_waits_where_all_hashes_are_ours(even, clock):
    assert even.seconds(None, "a password") == 0

    with even.attempt(0) as wait:
        wait(0.019)

    assert clock.slept == []


def test_a_cheap_hash_is_no_reason_to_answer_before_ours_would(even):
    assert even.seconds(1, "") >= 0.019


def test_a_text_that_is_tried_in_two_forms_takes_twice_as_long(even):
    assert even.seconds(100, "\ufb01") == pytest.approx(2 * even.seconds(100, "\u0142" + "i"), 0.02)


def test_no_answer_takes_longer_than_five_seconds(even):
    assert even.seconds(1000, "\ufb01" * 256) == 5


def test_an_answer_that_is_late_already_does_not_wait(even, clock):
    with even.attempt(0.1) as wait:
        wait(0.3)

    assert clock.slept == [0]


@pytest.mark.security("1.6")
def test_a_slow_machine_is_measured_once_and_given_its_time():
    measured = []

    def slow():
        measured.append(1)
        return 2.0

    even = Pace(threads=4, slowness=slow)

    assert even.seconds(100, "") == even.seconds(100, "") == pytest.approx(0.3)
    assert measured == [1]


@pytest.mark.security("1.6")
def test_waiting_answers_leave_half_of_the_threads_to_others(clock):
    """Two of four may wait. From then on, only two at a time are let in."""
    asleep, wake = threading.Barrier(3), threading.Event()

    def sleep(_seconds):
        asleep.wait(5)
        wake.wait(5)

    even = Pace(threads=4, slowness=lambda: 1.0, monotonic=clock, sleep=sleep)

    def answer_wrongly():
        with even.attempt(1.0) as wait:
            wait(0.0)

    sleepers = [threading.Thread(target=answer_wrongly) for _ in range(2)]
    for sleeper in sleepers:
        sleeper.start()
    asleep.wait(5)
    with pytest.raises(Overloaded) as refused, even.attempt(1.0):
        pass
    wake.set()
    for sleeper in sleepers:
        sleeper.join()

    assert (refused.value.status, refused.value.retry_after) == (503, 2)


def test_a_rush_of_right_passwords_is_never_sent_away(even):
    """Nobody waits after a right one, so nothing is guarded, however many come at once."""
    with even.attempt(1.0), even.attempt(1.0), even.attempt(1.0), even.attempt(1.0):
        pass


def test_the_guard_leaves_when_it_has_been_quiet(clock):
    even = Pace(threads=2, slowness=lambda: 1.0, monotonic=clock, sleep=clock.sleep)
    with even.attempt(1.0) as wait:
        wait(0.0)
    with even.attempt(1.0), pytest.raises(Overloaded), even.attempt(1.0):
        pass

    clock.at += 10

    with even.attempt(1.0), even.attempt(1.0):
        pass


def test_a_slow_machine_is_one_that_takes_more_processor_time():
    ticks = iter(range(10_000))

    assert slowness(lambda: next(ticks)) == 4
    assert slowness(lambda: 0.0) == 1


def test_every_sample_is_a_hash_of_nobody():
    assert len(_SAMPLES) == len(set(_SAMPLES)) == 7


def test_an_application_has_one_pace(identity_app):
    with identity_app.app_context():
        assert pace() is pace()


@pytest.mark.security("2.4")
@pytest.mark.parametrize("email", ["anna@example.com", "own@example.com", "nobody@example.com"])
def test_a_wrong_password_waits_alike_for_imported_own_and_unknown(
    identity_app, now, monkeypatch, email
):
    slept = []
    a_person("own@example.com")
    an_imported_person(BCRYPT, milliseconds=400)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)
    monkeypatch.setattr(hashing(), "_compare", lambda stored, typed: Verdict(matches=False))

    assert prove(a_flow(now, email), "wrong", now) == Wrong()

    assert slept == [pytest.approx(0.615, abs=0.01)]


@pytest.mark.security("2.4")
def test_nobody_waits_once_the_last_imported_hash_is_renewed(identity_app, now, monkeypatch):
    slept = []
    an_imported_person(BCRYPT, milliseconds=400)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)

    prove(a_flow(now), THEIRS, now)
    prove(a_flow(now), "wrong", now)

    assert slept == []


@pytest.mark.security("2.2")
def test_a_device_that_knows_the_person_does_not_wait(identity_app, now, monkeypatch):
    slept = []
    person_id = an_imported_person(BCRYPT, milliseconds=400)
    device = a_device(person_id, now, remember=False)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)

    assert prove(a_flow(now), "wrong", now, device_secret=device) == Wrong()

    assert slept == []
