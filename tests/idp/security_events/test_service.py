"""Applications hear what concerns them, and nothing else."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp import facts as hearing
from idp.grants.models import Grant
from idp.security_events import service as security_events
from idp.security_events.models import SecurityEvent
from tenants.database import db
from tenants.facts.service import Kind, note
from tests.idp.provider import a_code, a_person, an_app
from tests.tenants import making

pytestmark = pytest.mark.usefixtures("identity_app")

EVENTS = "https://app.example/security-events"
ACCOUNT = "0123456789ab"


def happened(kind, now, *, account=None, person_id=None, **details):
    with db.transaction() as session:
        note(session, kind, account=account, person_id=person_id, now=now, **details)
    hearing.hear(now)


def told():
    with db.reading() as session:
        rows = session.execute(
            select(SecurityEvent.client_id, SecurityEvent.kind).order_by(SecurityEvent.version)
        )
        return [tuple(row) for row in rows]


def in_account(account):
    with db.transaction() as session:
        session.execute(update(Grant).values(account=account))


@pytest.mark.product("OP-5")
def test_an_application_that_the_person_uses_is_told(now):
    app, anna = an_app(security_events_uri=EVENTS), a_person()
    a_code(app, now=now, person_id=anna)
    in_account(ACCOUNT)

    happened(Kind.PERSON_BLOCKED, now, person_id=anna)
    happened(Kind.MEMBER_ROLES_CHANGED, now, account=ACCOUNT, person_id=anna)

    assert told() == [(app.id, "account-disabled"), (app.id, "context-changed")]


@pytest.mark.product("OP-5")
def test_nobody_else_is_told(now):
    quiet, strange = an_app(), an_app(security_events_uri=EVENTS)
    anna = a_person()
    a_code(quiet, now=now, person_id=anna)
    a_code(strange, now=now)

    happened(Kind.PERSON_BLOCKED, now, person_id=anna)

    assert told() == []


@pytest.mark.product("TEN-17")
def test_what_happens_to_an_account_is_told_where_somebody_works_in_it(now):
    here, elsewhere = (an_app(security_events_uri=EVENTS) for _ in range(2))
    a_code(here, now=now)
    in_account(ACCOUNT)
    a_code(elsewhere, now=now)

    happened(Kind.ACCOUNT_SUSPENDED, now, account=ACCOUNT)

    assert told() == [(here.id, "session-revoked")]


@pytest.mark.product("TEN-17", "OP-5")
@pytest.mark.security("13.6")
@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (Kind.ACCOUNT_APPLICATION_TAKEN, "session-revoked"),
        (Kind.ACCOUNT_APPLICATION_GIVEN, "context-changed"),
    ],
)
def test_an_application_that_an_account_gets_or_loses_hears_of_it_and_no_other(now, kind, effect):
    making.an_application("crm")
    making.an_application("shop")
    used = an_app(security_events_uri=EVENTS, application="crm")
    unused = an_app(security_events_uri=EVENTS, application="crm")
    an_app(application="crm")
    for other in ("shop", None):
        app = an_app(security_events_uri=EVENTS, application=other, first_party=True)
        a_code(app, now=now)
    a_code(used, now=now)
    in_account(ACCOUNT)

    happened(kind, now, account=ACCOUNT, application="crm")

    assert set(told()) == {(used.id, effect), (unused.id, effect)}


@pytest.mark.security("13.6")
def test_somebody_elses_application_does_not_learn_of_other_accounts(now):
    ours = an_app(security_events_uri=EVENTS, first_party=True)
    strange = an_app(security_events_uri=EVENTS, first_party=False)
    anna = a_person()
    for app in (ours, strange):
        a_code(app, now=now, person_id=anna)
    in_account(ACCOUNT)

    happened(Kind.MEMBER_BLOCKED, now, account="ba9876543210", person_id=anna)
    assert told() == [(ours.id, "session-revoked")]

    happened(Kind.MEMBER_BLOCKED, now, account=ACCOUNT, person_id=anna)
    assert (strange.id, "session-revoked") in told()


def test_what_changes_nothing_that_anybody_holds_is_told_to_nobody(now):
    app, anna = an_app(security_events_uri=EVENTS), a_person()
    a_code(app, now=now, person_id=anna)

    happened(Kind.MEMBER_ADDED, now, account=ACCOUNT, person_id=anna)
    happened(Kind.COMPANY_CREATED, now, account=ACCOUNT)

    assert told() == []


def test_a_grant_that_ended_with_the_block_still_counts(now):
    app, anna = an_app(security_events_uri=EVENTS), a_person()
    a_code(app, now=now, person_id=anna)
    with db.transaction() as session:
        session.execute(update(Grant).values(revoked_at=now))

    happened(Kind.PERSON_BLOCKED, now, person_id=anna)
    happened(Kind.PERSON_UNBLOCKED, now + timedelta(hours=1), person_id=anna)

    assert told() == [(app.id, "account-disabled")]


def test_events_are_forgotten_after_their_time(now):
    app, anna = an_app(security_events_uri=EVENTS), a_person()
    a_code(app, now=now, person_id=anna)
    happened(Kind.PERSON_BLOCKED, now, person_id=anna)

    assert security_events.clean(before=now) == 0
    assert security_events.clean(before=now + timedelta(seconds=1)) == 1
