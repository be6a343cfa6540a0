import pytest
from flask.testing import FlaskClient

from idp.keys import service
from kernel import clock

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.mark.product("OP-1", "OP-2")
@pytest.mark.security("8.5")
def test_the_published_keys_are_public_named_and_distinct(identity_client: FlaskClient):
    response = identity_client.get("/jwks")

    keys = response.get_json()["keys"]
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "public, max-age=900"
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert len({key["kid"] for key in keys}) == len(keys) == 2
    assert all(key["kid"] and key["use"] == "sig" for key in keys)
    assert not any(PRIVATE & set(key) for key in keys)


def test_the_list_is_whole_from_the_first_moment(identity_client: FlaskClient):
    """A worker that is still making the second key leaves no list behind that misses it."""
    service.ensure_keys(now=clock.now(), algorithms=(service.ES256,))

    keys = identity_client.get("/jwks").get_json()["keys"]

    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
