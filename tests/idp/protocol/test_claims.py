from dataclasses import replace
from datetime import UTC, datetime

import pytest

from idp.protocol import claims, scopes
from idp.protocol.claims import PersonalFacts

ANNA = PersonalFacts(
    subject="1",
    email="anna@example.com",
    given_name="Anna",
    family_name="Nowak",
    phone="+48123456789",
    locale="pl",
    zoneinfo="Europe/Warsaw",
    picture="https://id.example/p.png",
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("granted", "told"),
    [
        (["openid"], {"sub"}),
        (["openid", "email"], {"sub", "email", "email_verified"}),
        (["openid", "phone"], {"sub", "phone_number", "phone_number_verified"}),
        (
            ["openid", "profile"],
            {
                "sub", "name", "given_name", "family_name", "picture", "zoneinfo", "locale",
                "updated_at",
            },
        ),
        (["openid", "address", "reports:read"], {"sub"}),
    ],
)  # fmt: skip
def test_a_scope_brings_its_claims_and_no_others(granted, told):
    assert set(claims.for_scopes(ANNA, granted)) == told


def test_what_is_unknown_is_left_out():
    told = claims.for_scopes(PersonalFacts("1", "a@example.com"), scopes.OF_OPENID)

    assert told == {"sub": "1", "email": "a@example.com", "email_verified": True}


def test_updated_at_is_a_number_of_seconds():
    told = claims.for_scopes(ANNA, ["profile"])

    assert told["updated_at"] == 1767225600
    assert claims.for_scopes(replace(ANNA, family_name=None), ["profile"])["name"] == "Anna"


def test_discovery_lists_every_claim_that_can_be_told():
    assert set(claims.for_scopes(ANNA, scopes.OF_OPENID)) <= set(claims.SUPPORTED)
