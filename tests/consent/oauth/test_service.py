"""What a person allowed an application, and takes back."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from consent.oauth import service as consents
from consent.oauth.models import OAuthConsent
from kernel.ids import new_id
from tenants.audit import LedgerEntry
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import a_person

ONE, OTHER = "a" * 12, "b" * 12


def _give(
    person_id, *scopes: str, client_id: str = "app", account: str | None = None, now=NOON
) -> None:
    with db.transaction() as session:
        consents.give(
            session,
            person_id=person_id,
            client_id=client_id,
            account=account,
            scopes=scopes,
            address="192.0.2.1",
            now=now,
        )


def _is_needed(person_id, *scopes: str, client_id: str = "app", account: str | None = None) -> bool:
    with db.reading() as session:
        return consents.is_needed(
            session, person_id=person_id, client_id=client_id, account=account, scopes=scopes
        )


@pytest.mark.product("OP-1")
@pytest.mark.security("10.1")
def test_consent_is_remembered_for_what_was_allowed(identity_app: Flask):
    person_id = a_person()
    assert _is_needed(person_id, "openid")

    _give(person_id, "openid", "email")

    assert not _is_needed(person_id, "openid")
    assert not _is_needed(person_id, "email", "openid")
    assert _is_needed(person_id, "openid", "profile")
    assert _is_needed(person_id, "openid", client_id="another")
    assert _is_needed(a_person(), "openid")


@pytest.mark.product("OP-3")
@pytest.mark.security("10.1")
@pytest.mark.parametrize("given", [None, ONE, OTHER])
def test_what_was_allowed_in_one_account_counts_in_no_other(identity_app: Flask, given):
    person_id = a_person()

    _give(person_id, "openid", "email", account=given)

    for account in (None, ONE, OTHER):
        assert _is_needed(person_id, "openid", account=account) is (account != given)


def test_what_was_allowed_in_several_accounts_is_listed_for_each_and_taken_back_at_once(
    identity_app: Flask,
):
    person_id = a_person()
    _give(person_id, "openid")
    _give(person_id, "openid", account=ONE, now=NOON + timedelta(hours=1))
    _give(person_id, "email", account=ONE, now=NOON + timedelta(hours=2))

    with db.reading() as session:
        connected = consents.connected_applications(session, person_id=person_id)
        told = session.scalars(select(LedgerEntry.details).order_by(LedgerEntry.id)).all()

    assert [(one.account, set(one.scopes), one.since) for one in connected] == [
        (None, {"openid"}, NOON),
        (ONE, {"openid", "email"}, NOON + timedelta(hours=1)),
    ]
    assert [json.loads(each).get("account") for each in told] == [None, ONE, ONE]
    with db.transaction() as session:
        assert consents.withdraw(session, person_id=person_id, client_id="app", now=NOON)
    assert _is_needed(person_id, "openid")
    assert _is_needed(person_id, "openid", account=ONE)


@pytest.mark.security("10.1")
def test_what_was_allowed_to_one_application_lapses_for_everybody_and_for_it_alone(
    identity_app: Flask,
):
    people = [a_person(), a_person()]
    for person_id in people:
        _give(person_id, "openid")
    _give(people[0], "openid", client_id="another")

    with db.transaction() as session:
        assert consents.lapse_of_application(session, client_id="app", now=NOON) == 2

    assert all(_is_needed(person_id, "openid") for person_id in people)
    assert not _is_needed(people[0], "openid", client_id="another")


def test_who_was_never_asked_is_asked_even_for_nothing(identity_app: Flask):
    assert _is_needed(a_person())


@pytest.mark.security("10.1")
def test_a_wider_consent_adds_to_the_first(identity_app: Flask):
    person_id = a_person()

    _give(person_id, "openid")
    _give(person_id, "openid", "profile", now=NOON + timedelta(days=1))

    assert not _is_needed(person_id, "openid", "profile")
    with db.reading() as session:
        rows = session.scalars(select(OAuthConsent).order_by(OAuthConsent.given_at)).all()
        connected = consents.connected_applications(session, person_id=person_id)
    assert [row.scopes for row in rows] == [["openid"], ["openid", "profile"]]
    assert [(one.client_id, set(one.scopes), one.since) for one in connected] == [
        ("app", {"openid", "profile"}, NOON)
    ]


@pytest.mark.security("7.9")
def test_a_consent_is_taken_back_and_the_record_stays(identity_app: Flask):
    person_id = a_person()
    _give(person_id, "openid")

    with db.transaction() as session:
        assert consents.withdraw(session, person_id=person_id, client_id="app", now=NOON)
        assert not consents.withdraw(session, person_id=person_id, client_id="app", now=NOON)

    assert _is_needed(person_id, "openid")
    with db.reading() as session:
        assert session.scalars(select(OAuthConsent)).one().withdrawn_at == NOON
        assert consents.connected_applications(session, person_id=person_id) == []
        events = session.scalars(select(LedgerEntry.event).order_by(LedgerEntry.id)).all()
    assert events == ["consent:given", "consent:withdrawn"]
    with db.reading() as session:
        nothing = consents.allowed(session, person_id=new_id(), client_id="app", account=None)
    assert nothing == frozenset()
