"""Operators rotate signing keys."""

import os

import pytest

from kernel.crypto import new_token


@pytest.mark.product("OP-2")
def test_the_first_keys_sign_at_once(ask):
    keys = ask("keys", "rotate")

    assert {(key["algorithm"], key["state"]) for key in keys} == {
        ("ES256", "signing"),
        ("RS256", "signing"),
    }


@pytest.mark.product("OP-2")
@pytest.mark.security("8.5")
def test_rotated_keys_are_published_before_they_sign(ask):
    ask("keys", "rotate")

    ask("keys", "rotate")
    keys = ask("keys", "list")

    assert sorted((key["algorithm"], key["state"]) for key in keys) == [
        ("ES256", "next"),
        ("ES256", "signing"),
        ("RS256", "next"),
        ("RS256", "signing"),
    ]


def test_people_read_a_table(run):
    run("keys", "rotate")

    assert "signing" in run("keys", "list").stdout


@pytest.mark.security("8.5")
def test_a_withdrawn_key_is_replaced_at_once(ask, run):
    (first,) = [key for key in ask("keys", "rotate") if key["algorithm"] == "ES256"]

    run("keys", "withdraw", first["id"], "--yes")
    keys = {key["id"]: key["state"] for key in ask("keys", "list") if key["algorithm"] == "ES256"}

    assert keys.pop(first["id"]) == "withdrawn"
    assert list(keys.values()) == ["signing"]


def test_an_id_that_begins_with_a_hyphen_is_an_id_and_no_option(run):
    result = run("keys", "withdraw", "-B4vd0lwyiVyu3Ib7CJuMw", "--yes", status=1)

    assert str(result.exception) == "no such key"


@pytest.mark.security("13.3")
def test_what_older_encryption_keys_sealed_is_sealed_anew_and_they_can_go(ask, run, monkeypatch):
    before = {key["id"] for key in ask("keys", "rotate")}
    old, new = os.environ["KLUCZNIK_ENCRYPTION_KEYS"], new_token(256)

    monkeypatch.setenv("KLUCZNIK_ENCRYPTION_KEYS", f"{new},{old}")
    first = ask("keys", "reseal")
    again = ask("keys", "reseal")
    monkeypatch.setenv("KLUCZNIK_ENCRYPTION_KEYS", new)

    of_keys = next(one for one in first if one["what"] == "signing keys")
    assert (of_keys["renewed"], of_keys["lost"]) == (len(before), 0)
    assert all(one["renewed"] == one["lost"] == 0 for one in again)
    assert {key["id"] for key in ask("keys", "rotate")} >= before


def test_a_key_that_is_missing_from_the_settings_ends_with_1(ask, run, monkeypatch):
    ask("keys", "rotate")
    monkeypatch.setenv("KLUCZNIK_ENCRYPTION_KEYS", new_token(256))

    assert "can't be opened" in run("keys", "reseal", status=1).stdout
