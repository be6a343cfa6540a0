import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from idp.events import IdpEvent
from idp.sessions.models import BrowserSession, Device
from kernel.ids import new_id
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.account.views.visits import ANNA, signed_in
from tests.idp.visitor import Visitor, a_sheet, an_authenticator
from tests.statements import asked_of

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Edg/126.0"


def a_row(person_id, *, at, kind=IdpEvent.SIGN_IN_SUCCEEDED, result="success", **more):
    with db.transaction() as session:
        return ledger.append(
            session,
            chain=person_chain(person_id),
            event=kind,
            actor=None,
            subject=str(person_id),
            result=result,
            at=at,
            details=more.get("details"),
            personal={"address": more.get("address", "192.0.2.50"), "user_agent": EDGE},
        )


def rows_on(visitor):
    return len(re.findall(r"<time datetime=", visitor.text))


@pytest.mark.product("ID-7")
def test_the_page_shows_the_password_and_what_else_proves_who_one_is(me, person_id):
    me.get("/account/security")
    assert "Last changed 1 Jan 2026" in me.words
    assert "On a new device we send a code to anna@example.com" in me.words

    an_authenticator(person_id, now=datetime.now(UTC))
    a_sheet(person_id, now=datetime.now(UTC))
    me.get("/account/security")

    assert "10 codes are left" in me.words
    assert me.form("/account/authenticator/remove")
    assert "Not used: what you have is safer" in me.words


@pytest.mark.product("ID-7")
@pytest.mark.security("5.6")
def test_the_page_shows_open_sessions_with_device_place_and_last_use(me, elsewhere):
    me.get("/account/security")

    sessions = me.text.split('id="sessions"')[1].split("</section>")[0]
    assert sessions.count("Firefox, Linux") >= 2
    assert "192.0.2.99" in sessions
    assert sessions.count("Last used") == 2
    assert sessions.count("This device") == 1
    assert me.form("/account/sessions/0").action.endswith("/end")


@pytest.mark.product("ID-7")
@pytest.mark.security("4.7")
def test_a_remembered_device_is_removed_from_the_page(me, elsewhere):
    me.get("/account/security")
    assert "no code until" in me.words

    me.submit("/account/devices")

    assert "No device is remembered" in me.words
    elsewhere.submit("/sign-out").sign_in(ANNA)
    assert elsewhere.path.startswith("/sign-in/code")


@pytest.mark.product("ID-7")
def test_the_page_shows_the_last_sign_ins_with_how_and_from_where(me, elsewhere, person_id):
    now = datetime.now(UTC)
    a_row(person_id, at=now, kind=IdpEvent.SIGN_IN_CODE_EXHAUSTED, result="failure")
    a_row(person_id, at=now, kind=IdpEvent.SIGN_IN_PASSWORD_THROTTLED, result="failure")

    me.get("/account/security")

    history = me.text.split('id="history"')[1]
    assert "password, code by mail" in me.words
    assert "The right password, then several wrong codes" in history
    assert "Too many wrong passwords" in history
    assert "Edge, Windows" in history
    assert history.count("Refused") == 2
    assert "New device" in history


@pytest.mark.product("ID-7")
@pytest.mark.security("18.6")
def test_the_history_is_read_a_page_at_a_time(me, person_id):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(60):
        a_row(person_id, at=long_ago + timedelta(minutes=number))

    me.get("/account/history")
    seen = rows_on(me)
    while older := re.search(r'rel="next" href="([^"]+)"', me.text):
        me.get(older[1].replace("&amp;", "&"))
        seen += rows_on(me)

    assert seen == 61
    assert rows_on(me.get("/account/history")) == 25


@pytest.mark.security("18.6")
def test_however_long_the_lists_are_the_statements_stay_the_same(me, person_id):
    def statements():
        with asked_of(db.engine) as asked:
            me.get("/account/security")
        return len(asked.statements)

    before = statements()
    now = datetime.now(UTC)
    for _ in range(30):
        a_row(person_id, at=now)
    facts = {"user_agent": EDGE, "address": "192.0.2.1", "created_at": now, "last_seen_at": now}
    with db.transaction() as session:
        for _ in range(30):
            device_id = new_id()
            session.execute(
                insert(Device).values(
                    id=device_id,
                    person_id=person_id,
                    secret_hash=device_id.bytes,
                    remembered_until=now + timedelta(days=1),
                    **facts,
                )
            )
            session.execute(
                insert(BrowserSession).values(
                    id=new_id(),
                    secret_hash=device_id.bytes,
                    person_id=person_id,
                    auth_time=now,
                    amr=[],
                    acr="",
                    expires_at=now + timedelta(days=1),
                    **facts,
                )
            )

    assert statements() == before
    assert "Show all 31 sessions" in me.words
    assert "Show all 30 devices" in me.words


@pytest.mark.product("ID-7")
def test_changes_have_a_list_of_their_own(me, person_id):
    now = datetime.now(UTC)
    assert "No changes yet" in me.get("/account/history?show=changes").words
    a_row(person_id, at=now, kind=IdpEvent.PASSWORD_CHANGED)
    a_row(person_id, at=now, kind=IdpEvent.SIGN_IN_LOCKED)

    me.get("/account/history?show=changes")

    assert "Password changed" in me.words
    assert "The ID was locked" in me.words
    assert rows_on(me) == 2
    assert "Password changed" not in me.get("/account/history").words


@pytest.mark.security("12.2")
def test_a_page_of_somebody_elses_history_begins_nowhere(me, person_id):
    theirs = a_row(new_id(), at=datetime.now(UTC))

    me.get(f"/account/history?before={theirs}")

    assert rows_on(me) == 0
    assert "That was all" in me.words


@pytest.mark.parametrize("query", ["?before=x", "?show=x", "?before=&show="])
def test_a_broken_address_shows_the_newest_sign_ins(me, query):
    assert rows_on(me.get(f"/account/history{query}")) == 1


def test_erased_personal_data_leaves_the_line_and_no_device(me, person_id):
    with db.transaction() as session:
        ledger.erase_personal(session, about=str(person_id), by=None, at=datetime.now(UTC))

    me.get("/account/history")

    assert rows_on(me) == 1
    assert me.status == 200


@pytest.mark.product("ID-7")
def test_a_place_is_named_where_the_operator_gave_a_file(identity_app, me, elsewhere, monkeypatch):
    monkeypatch.setattr(
        "idp.account.views.security.place_of",
        lambda address: {"192.0.2.99": "Kraków, Poland"}.get(address),
    )

    assert "Kraków, Poland · 192.0.2.99" in me.get("/account/sessions").words


def test_times_are_in_the_time_zone_of_the_person(me, person_id):
    me.get("/account").submit("/account", zoneinfo="America/New_York", locale="en")
    a_row(person_id, at=datetime(2026, 1, 1, 3, 0, tzinfo=UTC))

    assert "31 Dec 2025, 22:00" in me.get("/account/history").words


def test_whose_page_it_is_nobody_else_sees(identity_app, me):
    stranger = Visitor(identity_app).get("/account/history")

    assert stranger.path.startswith("/sign-in")
    assert signed_in(me) is not None
