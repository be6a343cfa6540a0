from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from kernel.argon2id import Argon2id

THEIRS = PasswordHasher(time_cost=2, memory_cost=256, parallelism=1)


@pytest.fixture
def ours():
    return Argon2id(time_cost=2, memory_kib=256)


@pytest.mark.security("1.5")
@pytest.mark.parametrize("password", ["four green umbrellas", "zażółć gęślą jaźń", "", "x" * 1000])
def test_the_library_and_we_read_each_others_hashes(ours, password):
    assert THEIRS.verify(ours.hash(password), password)
    assert ours.verify(THEIRS.hash(password), password)
    assert not ours.verify(THEIRS.hash(password), password + "x")


def test_a_digest_may_be_of_any_length(ours):
    short = PasswordHasher(time_cost=2, memory_cost=256, parallelism=1, hash_len=16, salt_len=8)

    assert ours.verify(short.hash("four green umbrellas"), "four green umbrellas")


@pytest.mark.security("1.5")
def test_two_hashes_of_one_password_differ(ours):
    assert ours.hash("four green umbrellas") != ours.hash("four green umbrellas")


def test_bytes_under_a_salt_are_those_of_the_library(ours):
    for secret in (b"code", b""):
        expected = hash_secret_raw(secret, b"s" * 16, 2, 256, 1, 32, Type.ID)

        assert ours.derive(secret, b"s" * 16) == expected


@pytest.mark.security("1.6")
def test_nobodys_hash_matches_nothing(ours):
    assert ours.nobodys().startswith(ours.beginning)
    assert not ours.verify(ours.nobodys(), "")


@pytest.mark.parametrize(
    "rest",
    ["", "$", "c2FsdHNhbHQ", "c2FsdHNhbHQ$", "c2FsdHNhbHQ$!", "c2FsdA$ZGlnZXN0", "c2FsdHNhbHQ$YQ",
     "c2FsdHNhbHQ$ZGln$ZXN0", "$ZGlnZXN0", "ł$ł"],
)  # fmt: skip
def test_what_is_no_hash_matches_nothing(ours, rest):
    assert not ours.verify(ours.beginning + rest, "")
    assert not ours.verify(rest, "")


def test_other_parameters_are_not_ours_to_verify(ours):
    weak = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1).hash("green umbrellas")

    assert not ours.verify(weak, "green umbrellas")


def test_what_the_library_refuses_is_said(ours):
    with pytest.raises(HashingError, match=r"[Ss]alt"):
        ours.derive(b"secret", b"short")

    assert ours.hash("and the block is still there")


def test_hashes_at_once_have_a_block_each_and_later_ones_use_them_again(ours):
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda _: ours.derive(b"secret", b"s" * 16), range(200)))

    assert found == {ours.derive(b"secret", b"s" * 16)}
    assert 1 <= len(ours._blocks) <= 4


@pytest.mark.security("1.5")
def test_nothing_of_a_password_stays_in_a_block(ours):
    ours.hash("four green umbrellas")
    ours.verify(ours.hash("four green umbrellas"), "another one")

    assert [any(block.memory[:]) for block in ours._blocks] == [False]
