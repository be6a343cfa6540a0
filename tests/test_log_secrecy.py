"""The watch over logs sees what it is there for."""

import logging
import secrets

import argon2
import pytest

from kernel.argon2id import Argon2id
from tests.conftest import watch

pytestmark = pytest.mark.security("17.2", "20.8", "4.4")


def test_a_logged_token_is_found():
    logging.getLogger("careless").warning("made %s", secrets.token_urlsafe(32))

    assert len(watch.found()) == 1


def test_a_logged_code_is_found():
    code = f"{secrets.randbelow(10**8 - 10**7) + 10**7:08d}"
    watch._note_code(int(code))
    logging.getLogger("careless").warning("the code is %s", code)

    assert len(watch.found()) == 1


@pytest.mark.parametrize(
    "hasher",
    [Argon2id(time_cost=1, memory_kib=64), argon2.PasswordHasher(memory_cost=64, time_cost=1)],
)
def test_a_logged_password_is_found(hasher):
    hasher.hash("four green umbrellas")
    logging.getLogger("careless").warning("typed: four green umbrellas")

    assert len(watch.found()) == 1


def test_a_signed_token_is_found():
    logging.getLogger("careless").warning("got %s", "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln")

    assert len(watch.found()) == 1


def test_ordinary_lines_pass():
    logging.getLogger("careful").warning("a request, and its id: %s", secrets.token_hex(8))

    assert watch.found() == []
