import threading
import time

import bcrypt
import pytest
from argon2 import PasswordHasher

from idp.credentials.hashing import Hashing, hashing
from kernel.errors import Overloaded
from tests.idp.credentials.vectors import BCRYPT, HASHES, THEIRS


@pytest.fixture(scope="module")
def queue():
    return Hashing(at_once=2)


@pytest.mark.product("ID-8")
@pytest.mark.security("1.5")
def test_a_password_is_kept_as_argon2id_with_the_agreed_parameters(queue):
    assert queue.hash("a password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_right_password_matches_and_another_does_not(queue):
    stored = queue.hash("a password")

    assert queue.verify(stored, "a password").matches
    assert not queue.verify(stored, "a passwore").matches


@pytest.mark.product("ID-8")
@pytest.mark.security("1.5")
def test_a_hash_with_weaker_parameters_is_outdated(queue):
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("a password")

    assert queue.verify(weak, "a password").is_outdated
    assert not queue.verify(queue.hash("a password"), "a password").is_outdated


@pytest.mark.security("1.6")
def test_nobody_has_a_hash_that_costs_the_same_and_matches_nothing(queue):
    assert not queue.verify(None, "").matches
    assert not queue.verify(None, "a password").matches
    assert queue._nobodys.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=1", "$2b$12$" + "x" * 53])
def test_what_is_no_hash_of_ours_matches_nothing(queue, stored):
    assert not queue.verify(stored, "a password").matches


@pytest.mark.security("1.6")
def test_who_waits_too_long_for_a_turn_is_sent_away():
    queue = Hashing(at_once=1, longest_wait=0.05)
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with queue._turn():
            inside.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(5)
    with pytest.raises(Overloaded) as refused:
        queue.hash("a password")
    leave.set()
    holder.join()

    assert (refused.value.status, refused.value.retry_after) == (503, 2)
    assert queue.hash("a password")


@pytest.mark.security("1.6")
def test_no_more_hashes_run_at_once_than_there_are_turns():
    queue = Hashing(at_once=2)
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    class Watched:
        def hash(self, password):
            with lock:
                running.append(1)
                most.append(len(running))
            time.sleep(0.005)
            with lock:
                running.pop()

    queue._hasher = Watched()  # type: ignore[assignment]
    threads = [threading.Thread(target=queue.hash, args=("a password",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(most) == 12
    assert max(most) <= 2


def test_an_application_has_one_queue(identity_app):
    assert hashing() is hashing()


def test_a_secret_under_a_salt_is_always_the_same(queue):
    assert queue.derive("code", b"s" * 16) == queue.derive("code", b"s" * 16)
    assert queue.derive("code", b"s" * 16) != queue.derive("code", b"t" * 16)


@pytest.mark.product("ID-8")
@pytest.mark.parametrize("stored", [stored for _, stored in HASHES])
def test_a_hash_of_another_system_matches_and_is_outdated(queue, stored):
    verdict = queue.verify(stored, THEIRS)

    assert (verdict.matches, verdict.is_outdated) == (True, True)
    assert not queue.verify(stored, "another one").matches


@pytest.mark.security("1.3")
def test_another_system_may_have_hashed_what_was_typed_before_it_was_normalised(queue):
    typed = "\ufb01ve green umbrellas"
    as_typed, normalised = (
        bcrypt.hashpw(form.encode(), bcrypt.gensalt(4)).decode()
        for form in (typed, "five green umbrellas")
    )

    assert queue.verify(as_typed, typed).matches
    assert queue.verify(normalised, typed).matches
    assert not queue.verify(as_typed, "five green umbrellas").matches


@pytest.mark.security("1.6")
def test_an_unreadable_hash_matches_nothing_costs_the_same_and_is_logged(queue, caplog):
    hashed: list[str] = []

    class Watched:
        def verify(self, stored, _typed):
            hashed.append(stored)
            return False

    lone = Hashing(at_once=1)
    lone._hasher = Watched()  # type: ignore[assignment]

    assert not lone.verify("$2b$99$broken", "a password").matches
    assert hashed == [lone._nobodys]
    assert "stored_password_unreadable" in caplog.text
    assert "$2b$99" not in caplog.text


@pytest.mark.security("1.6")
def test_hashes_of_other_systems_wait_for_a_turn_too():
    lone = Hashing(at_once=1, longest_wait=0.01)

    with lone._turn(), pytest.raises(Overloaded):
        lone.verify(BCRYPT, THEIRS)


def test_a_verdict_says_how_long_it_took(queue):
    assert queue.verify(BCRYPT, "another one").seconds > 0
