"""Sealed values open with their key and for their context only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import crypto
from kernel.crypto import CannotOpen, Vault
from kernel.errors import Misconfigured

OLD, NEW = b"o" * 32, b"n" * 32

pytestmark = pytest.mark.security("8.6")


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_opens_again(plaintext: bytes, context: str) -> None:
    vault = Vault([NEW])

    assert vault.open(vault.seal(plaintext, context=context), context=context) == plaintext


def test_a_sealed_value_does_not_open_for_another_row() -> None:
    vault = Vault([NEW])
    sealed = vault.seal(b"secret", context="totp:1")

    with pytest.raises(CannotOpen):
        vault.open(sealed, context="totp:2")


@given(st.binary(max_size=80))
def test_what_we_did_not_seal_is_refused_and_never_crashes(anything: bytes) -> None:
    with pytest.raises(CannotOpen):
        Vault([NEW]).open(anything, context="totp:1")


def test_an_old_key_still_opens_and_asks_to_be_replaced() -> None:
    sealed = Vault([OLD]).seal(b"secret", context="c")
    both = Vault([NEW, OLD])

    assert both.open(sealed, context="c") == b"secret"
    assert both.needs_resealing(sealed)
    assert not both.needs_resealing(both.seal(b"secret", context="c"))


@pytest.mark.parametrize("text", ["", "short", "ż" * 43, "*" * 43])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        crypto.key_from_text(text)


def test_parts_of_a_keyed_hash_cant_be_moved_over_the_border() -> None:
    assert crypto.keyed_hash(NEW, b"ab", b"c") != crypto.keyed_hash(NEW, b"a", b"bc")


def test_a_token_never_looks_like_an_option_of_a_command() -> None:
    # One in 64 would: the chance that none of these does by luck is one in ten million.
    assert not [token for _ in range(1000) if (token := crypto.new_token(128)).startswith("-")]
