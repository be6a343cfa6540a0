import threading
import time

import pytest
from argon2 import PasswordHasher

from idp.credentials.hashing import Hashing, hashing
from kernel.errors import Overloaded


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
