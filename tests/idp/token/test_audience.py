import pytest
from flask import Flask

from idp.protocol.errors import InvalidTarget
from idp.token import audience
from tests.idp.provider import API, ISSUER, an_app

OTHER = "https://other.example"


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("requested", "granted", "chosen"),
    [
        ([], [], "default"),
        ([], [API], API),
        ([API], [], API),
        ([API, API], [], API),
        ([API], [API, OTHER], API),
        ([ISSUER], [API], ISSUER),
    ],
)
def test_a_token_has_one_audience(identity_app: Flask, requested, granted, chosen):
    client = an_app(audiences=(API, OTHER)).registered()

    found = audience.choose(
        requested, granted=granted, client=client, issuer=ISSUER, default="default"
    )

    assert found == chosen


@pytest.mark.security("7.2")
@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ([API, OTHER], []),
        ([], [API, OTHER]),
        (["https://evil.example"], []),
        ([OTHER], [API]),
        ([], ["https://lost.example"]),
    ],
)
def test_an_audience_is_refused_when(identity_app: Flask, requested, granted):
    client = an_app(audiences=(API, OTHER)).registered()

    with pytest.raises(InvalidTarget):
        audience.choose(requested, granted=granted, client=client, issuer=ISSUER, default="x")
