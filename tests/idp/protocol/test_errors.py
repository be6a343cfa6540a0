import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import errors
from idp.protocol.errors import InvalidClient, InvalidGrant, InvalidRequest, OAuthError

ALLOWED = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")


@pytest.mark.product("OP-1")
@given(st.text())
def test_a_description_holds_only_what_it_may(text):
    assert ALLOWED.fullmatch(InvalidRequest(text).description)


@pytest.mark.security("17.3")
def test_the_client_does_not_learn_which_check_failed():
    assert InvalidGrant("code_verifier does not match").as_dict() == {
        "error": "invalid_grant",
        "error_description": "the grant is not valid",
    }
    assert "wrong secret" not in str(InvalidClient("wrong secret").as_dict())
    assert InvalidClient("wrong secret").detail == "wrong secret"


def test_every_error_has_a_code_and_a_status():
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]

    for kind in kinds:
        if issubclass(kind, OAuthError):
            assert ALLOWED.fullmatch(str(kind.error))
            assert kind.status_code in (400, 401, 403)
