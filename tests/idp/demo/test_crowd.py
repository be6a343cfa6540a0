"""A crowd whose first people can sign in."""

import pytest

from idp.credentials import password
from idp.credentials.hashing import hashing
from idp.demo import crowd
from tenants.crowd.service import Size, ids_of
from tenants.database import db

pytestmark = pytest.mark.usefixtures("identity_app")


def test_the_first_people_have_the_password_that_is_printed_and_the_others_none(now):
    crowd.grow(
        Size(people=12, accounts=2, companies=2), with_password=3, now=now, tell=lambda _: None
    )

    with db.reading() as session:
        found = {
            number: password.stored_hash(session, person_id=person_id)
            for number, person_id in ids_of(range(12)).items()
        }

    assert {number for number, stored in found.items() if stored is not None} == {0, 1, 2}
    stored = found[0]
    assert stored is not None
    assert hashing().verify(stored, password.normalised(crowd.PASSWORD)).matches
