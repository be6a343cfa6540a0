"""Operators rotate signing keys."""

import pytest


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
