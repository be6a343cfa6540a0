import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.credentials.hashing import Hashing
from idp.person_import.files import FIELDS
from idp.person_import.rows import RowRefused, understand
from tests.idp.credentials.vectors import BCRYPT, KEYCLOAK


def test_a_whole_row_is_understood():
    candidate = understand(
        {
            "email": " Anna@Example.com ",
            "password_hash": BCRYPT,
            "email_verified": "t",
            "given_name": "Anna\u00a0 Maria",
            "family_name": "Lis",
            "phone": "+48 600 700 800",
            "locale": "pl_PL",
            "zoneinfo": "Europe/Warsaw",
        }
    )

    assert candidate.newcomer.address.key == "anna@example.com"
    assert candidate.newcomer.given_name == "Anna Maria"
    assert (candidate.newcomer.locale, candidate.newcomer.zoneinfo) == ("pl", "Europe/Warsaw")
    assert candidate.password is not None
    assert (candidate.password.kind, candidate.password.milliseconds) == ("bcrypt", 1)
    assert candidate.note == ""


def test_an_address_is_enough():
    candidate = understand({"email": "anna@example.com", "given_name": "", "password_hash": " "})

    assert candidate.password is None
    assert candidate.newcomer.given_name is None


@pytest.mark.parametrize("said", [KEYCLOAK, json.loads(KEYCLOAK)])
def test_keycloaks_credential_may_be_a_text_or_an_object(said):
    candidate = understand({"email": "anna@example.com", "password_hash": said})

    assert candidate.password is not None
    assert candidate.password.kind == "pbkdf2-sha512"


def test_a_hash_that_was_made_here_costs_nothing_more_than_ours():
    hash_ = Hashing(at_once=1).hash("a password")

    candidate = understand({"email": "anna@example.com", "password_hash": hash_})

    assert candidate.password is not None
    assert candidate.password.milliseconds is None


@pytest.mark.security("3.8")
@pytest.mark.parametrize("said", ["false", "f", "0", "No", False, 0])
def test_a_password_behind_an_address_that_nobody_verified_is_left_out(said):
    candidate = understand(
        {"email": "anna@example.com", "password_hash": BCRYPT, "email_verified": said}
    )

    assert candidate.password is None
    assert "not verified" in candidate.note


@pytest.mark.parametrize("said", [None, "", "true", "Yes", True, 1])
def test_a_password_behind_a_verified_address_is_kept(said):
    candidate = understand(
        {"email": "anna@example.com", "password_hash": BCRYPT, "email_verified": said}
    )

    assert candidate.password is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": ""}, "email: not an e-mail address"),
        ({"email": None}, "email: not an e-mail address"),
        ({"email": "a@b.example, c@d.example"}, "email: not an e-mail address"),
        ({"email": "\ud800@example.com"}, "email: not an e-mail address"),
        ({"email": ["a@b.example"]}, "email: not a text"),
        ({"password_hash": "secret"}, "password_hash: a hash of no known kind"),
        ({"password_hash": "$2b$31$" + "." * 53}, "password_hash: bcrypt takes"),
        ({"password_hash": 7}, "password_hash: not a text"),
        ({"password_hash": {}}, "password_hash: not a password credential of Keycloak"),
        ({"email_verified": "maybe"}, "email_verified: neither true nor false"),
        ({"given_name": "anna@example.com"}, "given_name: no name"),
        ({"given_name": "A" * 101}, "given_name: no name"),
        ({"family_name": "A\0B"}, "family_name: no name"),
        ({"phone": "call me"}, "phone: not a phone number"),
        ({"locale": "tlh"}, "locale: none of"),
        ({"zoneinfo": "Warsaw"}, "zoneinfo: not a time zone"),
        ({"zoneinfo": "../../etc/passwd"}, "zoneinfo: not a time zone"),
    ],
)
def test_a_row_is_refused_with_a_reason(change, reason):
    with pytest.raises(RowRefused) as refused:
        understand({"email": "anna@example.com", **change})

    assert refused.value.detail.startswith(reason)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(FIELDS), _ANYTHING))
def test_no_row_makes_the_reader_stumble(fields):
    with suppress(RowRefused):
        assert understand({"email": "anna@example.com", **fields}).newcomer.address.key
