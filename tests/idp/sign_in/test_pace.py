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


def wrong(milliseconds=19.0, *, load=1.0):
    """A wrong answer that took as long as it should, or longer on a busy machine."""
    return Verdict(False, seconds=milliseconds / 1000 * load, milliseconds=milliseconds)


@pytest.mark.security("2.4")
@pytest.mark.parametrize("milliseconds", [1, 19, 250])
def test_a_wrong_answer_takes_as_long_as_one_to_the_dearest_hash(even, clock, milliseconds):
    verdict = wrong(milliseconds)

    with even.attempt(250) as wait:
        wait("", verdict)

    assert clock.slept[0] + verdict.seconds == pytest.approx(0.375)


def test_nobody_waits_where_all_hashes_are_ours(even, clock):
    with even.attempt(None) as wait:
        wait("a password", wrong())

    assert clock.slept == []


def test_a_cheap_hash_is_no_reason_to_answer_before_ours_would(even):
    assert even.seconds(1, "", wrong(1)) == pytest.approx(0.0285)


def test_a_text_that_is_tried_in_two_forms_takes_twice_as_long(even):
    one, two = "\u0142", "\u017f"

    assert even.seconds(100, two, wrong()) == pytest.approx(2 * even.seconds(100, one, wrong()))


def test_no_answer_takes_longer_than_five_seconds(even):
    assert even.seconds(1000, "\ufb01" * 256, wrong()) == 5


@pytest.mark.security("2.4")
def test_on_a_busy_machine_everybody_waits_in_proportion_and_so_does_the_next_one(even):
    """Else what is dear would be late, and known by it."""
    assert even.seconds(100, "", wrong(100, load=4)) == pytest.approx(0.6)
    assert even.seconds(100, "", wrong(19)) == pytest.approx(0.6)


def test_after_many_tries_without_trouble_the_machine_is_not_busy_any_more(even):
    even.seconds(100, "", wrong(load=4))
    for _ in range(64):
        last = even.seconds(100, "", wrong())

    assert last == pytest.approx(0.15)


def test_what_a_cheap_hash_took_says_little_of_how_busy_the_machine_is(even):
    assert even.seconds(100, "", wrong(1, load=19)) == pytest.approx(0.15)


@pytest.mark.security("1.6")
def test_a_slow_machine_is_measured_once_and_given_its_time():
    measured = []

    def slow():
        measured.append(1)
        return 2.0

    even = Pace(threads=4, slowness=slow)

    assert even.seconds(100, "", wrong()) == even.seconds(100, "", wrong()) == pytest.approx(0.3)
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
        with even.attempt(100) as wait:
            wait("", wrong())

    sleepers = [threading.Thread(target=answer_wrongly) for _ in range(2)]
    for sleeper in sleepers:
        sleeper.start()
    asleep.wait(5)
    with pytest.raises(Overloaded) as refused, even.attempt(100):
        pass
    wake.set()
    for sleeper in sleepers:
        sleeper.join()

    assert (refused.value.status, refused.value.retry_after) == (503, 2)


def test_a_rush_of_right_passwords_is_never_sent_away(even):
    """Nobody waits after a right one, so nothing is guarded, however many come at once."""
    with even.attempt(100), even.attempt(100), even.attempt(100), even.attempt(100):
        pass


def test_the_guard_leaves_when_it_has_been_quiet(clock):
    even = Pace(threads=2, slowness=lambda: 1.0, monotonic=clock, sleep=clock.sleep)
    with even.attempt(100) as wait:
        wait("", wrong())
    with even.attempt(100), pytest.raises(Overloaded), even.attempt(100):
        pass

    clock.at += 10

    with even.attempt(100), even.attempt(100):
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
    slept: list[float] = []
    a_person("own@example.com")
    an_imported_person(BCRYPT, milliseconds=400)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)
    monkeypatch.setattr(hashing(), "verify", lambda stored, typed: wrong())

    assert prove(a_flow(now, email), "wrong", now) == Wrong()

    assert slept == [pytest.approx(0.596, abs=0.001)]


@pytest.mark.security("2.4")
def test_nobody_waits_once_the_last_imported_hash_is_renewed(identity_app, now, monkeypatch):
    slept: list[float] = []
    an_imported_person(BCRYPT, milliseconds=400)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)

    prove(a_flow(now), THEIRS, now)
    prove(a_flow(now), "wrong", now)

    assert slept == []


@pytest.mark.security("2.2")
def test_a_device_that_knows_the_person_does_not_wait(identity_app, now, monkeypatch):
    slept: list[float] = []
    person_id = an_imported_person(BCRYPT, milliseconds=400)
    device = a_device(person_id, now, remember=False)
    even = Pace(threads=8, slowness=lambda: 1.0, sleep=slept.append)
    monkeypatch.setitem(identity_app.extensions, "klucznik.pace", even)

    assert prove(a_flow(now), "wrong", now, device_secret=device) == Wrong()

    assert slept == []
