"""Who opens the account pages: Anna, here and elsewhere."""

import pytest

from tests.idp.account.views.visits import ANNA
from tests.idp.visitor import Visitor, a_person


@pytest.fixture
def person_id(identity_app):
    return a_person()


@pytest.fixture
def me(visitor, mailroom, person_id):
    """A browser in which Anna is signed in, with a code by mail."""
    visitor.sign_in(ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))
    assert visitor.is_signed_in()
    return visitor


@pytest.fixture
def elsewhere(identity_app, mailroom, person_id):
    """Another browser of Anna's, remembered."""
    other = Visitor(identity_app, address="192.0.2.99").sign_in(ANNA)
    return other.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
