"""What is signed is itsdangerous' own, and nothing else is believed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData, BadSignature, SignatureExpired, Signer, URLSafeTimedSerializer

from kernel.web.signing import SignedText, SignedValues

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
VALUES: list[Any] = ["text", "zażółć", {"a": "b", "c": 1}, {" t": [1]}, [], 0, None, "long" * 200]


def usual(*secrets: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(secrets or ("secret",)), salt="a salt")


@pytest.mark.security("5.8", "8.6")
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_value_is_signed_to_the_last_byte_and_read_by_either(value: Any):
    ours = SignedValues(usual())

    with time_machine.travel(NOON, tick=False):
        assert ours.sign(value) == usual().dumps(value)
        assert ours.read(usual().dumps(value), max_age=1) == value


@pytest.mark.security("5.8", "8.6")
def test_a_value_under_another_secret_salt_or_signature_is_refused():
    ours, others = SignedValues(usual()), URLSafeTimedSerializer("secret", salt="another salt")
    signed = ours.sign("value")

    for forged in (usual("x").dumps("value"), others.dumps("value"), signed[:-1], f"x{signed}"):
        with pytest.raises(BadSignature):
            ours.read(forged)


def test_a_value_that_an_older_secret_signed_is_read_and_signed_with_the_new_one():
    ours = SignedValues(usual("old", "new"))

    assert ours.read(usual("old").dumps("value")) == "value"
    assert usual("new").loads(ours.sign("value")) == "value"


@pytest.mark.security("3.1")
def test_a_value_is_good_for_so_long_and_no_longer():
    ours = SignedValues(usual())
    with time_machine.travel(NOON, tick=False):
        signed = ours.sign("value")

    for seconds, is_good in ((0, True), (60, True), (61, False), (-1, False)):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            if is_good:
                assert ours.read(signed, max_age=60) == "value"
                continue
            with pytest.raises(SignatureExpired):
                ours.read(signed, max_age=60)


@pytest.mark.security("4.7")
def test_a_text_is_signed_to_the_last_byte_and_read_by_either():
    theirs = Signer(["old", "new"], salt="a salt")
    ours = SignedText(theirs)

    assert ours.sign("a secret") == theirs.sign("a secret").decode()
    assert ours.read(theirs.sign("ż").decode()) == "ż"
    assert ours.read(Signer("old", salt="a salt").sign("a secret").decode()) == "a secret"


@given(st.text() | st.text("abAB09-_.=ż"))
def test_whatever_is_sent_is_refused_and_no_fault_of_ours(text: str):
    with pytest.raises(BadData):
        SignedValues(usual()).read(text)
    with pytest.raises(BadData):
        SignedText(Signer("secret")).read(text)
