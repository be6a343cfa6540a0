from typing import Any
from uuid import uuid4

import pytest

from portal.accounts import service
from portal.accounts.service import Made, NotMade
from relying_party.errors import ApiUnreachable
from relying_party.grants.api_client import ApiAnswer

API = "/v1/accounts"


class Api:
    """Answers with what it was given."""

    def __init__(self, status, value):
        self.answer = ApiAnswer(status, value)

    def post(self, session_id, path, body, *, key, context):
        assert path == API
        return self.answer


class Grants:
    def contexts(self, session_id):
        return []


def create(status, value):
    grants: Any = Grants()
    api: Any = Api(status, value)
    return service.create(grants, api, uuid4(), {"name": "A"}, key="k")


def test_an_account_that_was_made_is_told_with_its_id():
    assert create(201, {"id": "0123456789ab", "name": "A"}) == Made("0123456789ab", "A")


def test_what_is_refused_is_told_by_field():
    refused = create(422, {"errors": [{"pointer": "/nip"}, {"pointer": "/name"}]})

    assert refused == NotMade(frozenset({"nip", "name"}))


def test_too_many_are_told_apart():
    assert create(429, None) == NotMade(frozenset())


@pytest.mark.parametrize(
    ("status", "value"),
    [(500, None), (403, {}), (201, None), (201, {"id": 1}), (422, {}), (422, {"errors": [{}]})],
)
def test_any_other_answer_is_none(status, value):
    with pytest.raises(ApiUnreachable):
        create(status, value)
