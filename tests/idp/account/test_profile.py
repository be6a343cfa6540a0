from dataclasses import replace
from uuid import uuid4

import pytest

from idp.account import profile
from idp.events import IdpEvent
from kernel.errors import NotFound
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.sign_in.test_password import a_browser


def test_the_history_names_the_fields_and_not_what_stands_in_them(me, now):
    profile.change(me, {"given_name": "Anna"}, browser=a_browser(), now=now)

    with db.reading() as session:
        (row,) = ledger.history(session, chain=person_chain(me.person_id))
    assert (row.event, row.details) == (
        IdpEvent.PERSON_PROFILE_CHANGED,
        {"fields": ["given_name"]},
    )


def test_what_changes_nothing_leaves_no_row(me, now):
    profile.change(me, {"given_name": None}, browser=a_browser(), now=now)

    with db.reading() as session:
        assert ledger.history(session, chain=person_chain(me.person_id)) == []


def test_a_person_who_is_gone_has_no_profile(me):
    with pytest.raises(NotFound):
        profile.of(replace(me, person_id=uuid4()))
