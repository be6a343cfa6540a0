import pytest
from flask import Flask

from idp.protocol.errors import InvalidToken
from idp.userinfo import service
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import ISSUER, a_person, an_app
from tests.idp.token.test_refresh_token import _tokens


def test_it_needs_no_web_request(identity_app: Flask):
    """The fast path asks here too."""
    person_id = a_person(email="anna@example.com")
    token = _tokens(an_app(first_party=True), person_id=person_id)["access_token"]

    with db.reading() as session:
        told = service.tell(session, token, issuer=ISSUER, now=NOON)

    assert told["email"] == "anna@example.com"


def test_what_is_no_token_is_refused(identity_app: Flask):
    with db.reading() as session, pytest.raises(InvalidToken):
        service.tell(session, "nonsense", issuer=ISSUER, now=NOON)
