from datetime import timedelta

import pytest

from idp.account import history, words
from idp.account.history import CHANGES, SIGN_INS, Subject
from idp.events import IdpEvent
from idp.protocol import acr
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.provider import an_app


def a_sign_in(person_id, at, **details):
    with db.transaction() as session:
        return ledger.append(
            session,
            chain=person_chain(person_id),
            event=IdpEvent.SIGN_IN_SUCCEEDED,
            actor=None,
            subject=None,
            result="success",
            at=at,
            details=details,
        )


@pytest.mark.product("ID-7")
def test_an_entry_names_the_proofs_the_application_and_a_new_device(me, now):
    app = an_app(name="Portal")
    amr = [acr.PASSWORD, acr.ONE_TIME_CODE, acr.SEVERAL_FACTORS]
    a_sign_in(me.person_id, now + timedelta(1), amr=amr, new_device=True, application=app.id)

    entry = history.of(me, Subject.SIGN_INS, limit=1).entries[0]

    assert entry.means == (acr.PASSWORD, acr.ONE_TIME_CODE)
    assert (entry.application, entry.is_new_device, entry.succeeded) == ("Portal", True, True)


def test_an_application_that_is_gone_has_no_name(me, now):
    a_sign_in(me.person_id, now + timedelta(1), application="gone")

    assert history.of(me, Subject.SIGN_INS, limit=1).entries[0].application is None


@pytest.mark.security("18.6")
def test_the_next_page_begins_after_the_last_entry(me, now):
    rows = [a_sign_in(me.person_id, now + timedelta(days=1, seconds=each)) for each in range(3)]

    first = history.of(me, Subject.SIGN_INS, limit=2)
    second = history.of(me, Subject.SIGN_INS, limit=100, before=first.next_before)

    assert [entry.id for entry in first.entries] == [rows[2], rows[1]]
    assert second.entries[0].id == rows[0]
    assert second.next_before is None


@pytest.mark.parametrize("kind", [*SIGN_INS, *CHANGES])
def test_every_event_that_is_listed_has_its_words(identity_app, kind):
    assert str(words.EVENTS[kind])


@pytest.mark.parametrize(
    ("text", "subject"),
    [("changes", Subject.CHANGES), ("x", Subject.SIGN_INS), (None, Subject.SIGN_INS)],
)
def test_a_subject_is_read_from_the_address(text, subject):
    assert Subject.of(text) is subject


def test_what_happens_to_a_person_is_listed_or_left_out_on_purpose():
    of_the_installation = {
        IdpEvent.PEOPLE_IMPORTED,
        IdpEvent.IMPORTED_PASSWORDS_FORGOTTEN,
        IdpEvent.SIGN_IN_PASSKEY_THROTTLED,
    }
    of_the_profile = {IdpEvent.PERSON_PROFILE_CHANGED}

    unlisted = set(IdpEvent) - set(SIGN_INS) - set(CHANGES)

    assert unlisted == of_the_installation | of_the_profile
