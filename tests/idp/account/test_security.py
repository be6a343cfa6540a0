from uuid import uuid4

import pytest

from idp.account import security
from kernel.errors import NotFound
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import an_authenticator


def test_factors_are_those_that_the_person_has(me, now):
    before = security.factors(me)
    an_authenticator(me.person_id, now=now)

    assert before.password_changed_at is not None
    assert (before.has_authenticator, security.factors(me).has_authenticator) == (False, True)


def test_signing_out_twice_is_no_mistake(me, now):
    for _ in range(2):
        security.sign_out(me, browser=a_browser(), now=now)

    assert security.places(me, now=now).sessions == []


@pytest.mark.parametrize("act", [security.end_session, security.forget_device])
def test_what_is_not_there_is_not_found(me, now, act):
    with pytest.raises(NotFound):
        act(me, uuid4(), browser=a_browser(), now=now)
