"""The audit trail over HTTP."""

import csv
import io
import json
from datetime import timedelta

import pytest

from kernel import clock
from kernel.limits import Window
from tenants import trail
from tenants.api import audit
from tenants.audit import record
from tenants.database import db
from tenants.events import AccountEvent
from tests.tenants import making
from tests.tenants.api.speaking import Speaker


@pytest.mark.product("TEN-13", "TEN-16")
@pytest.mark.security("17.1")
def test_who_did_what_to_what_when_and_from_where(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    made = admin.post(
        f"/accounts/{account.id}/companies",
        json={"name": "Budowa"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    admin.post(f"/accounts/{account.id}/users", json={"email": "anna@example.com"})

    (entry,) = admin.get(f"/accounts/{account.id}/audit?event=company").json["items"]

    assert entry["event"] == "company:created"
    assert entry["actor"] == f"person:{admin.person_id}"
    assert entry["actor_name"]
    assert entry["subject"] == f"company:{made.json['id']}"
    assert entry["address"] == "192.0.2.7"
    assert entry["request"] == made.headers["X-Request-ID"]


@pytest.mark.product("TEN-13")
def test_the_newest_comes_first_and_the_rest_page_by_page(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    for name in "abc":
        admin.post(f"/accounts/{account.id}/companies", json={"name": name})
    path = f"/accounts/{account.id}/audit?limit=2"

    first = admin.get(path).json
    rest = admin.get(f"{path}&cursor={first['next']}").json

    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    moments = [entry["at"] for entry in [*first["items"], *rest["items"]]]
    assert moments == sorted(moments, reverse=True)
    assert admin.get(f"{path}&since={moments[0]}").json["items"][0]["at"] == moments[0]
    assert admin.get(f"{path}&before={moments[2]}").json["items"] == []


@pytest.mark.product("TEN-7", "TEN-13")
@pytest.mark.security("2.4", "13.6")
def test_the_trail_does_not_tell_how_old_an_id_is(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    known = making.a_person("known@example.com")
    for email in ("known@example.com", "new@example.com"):
        for kind in ("users", "clients"):
            added = admin.post(f"/accounts/{account.id}/{kind}", json={"email": email}).json
            assert added["person_id"] is None

    entries = admin.get(f"/accounts/{account.id}/audit").json["items"]
    added = [entry for entry in entries if entry["event"].endswith(":added")]

    assert len(added) == 4
    assert all("person" not in entry["details"] for entry in added)
    assert str(known) not in str(added)


def exported(speaker, account, query="", **rest):
    return speaker.get(f"/accounts/{account.id}/audit/export{query}", **rest)


def lines(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.product("TEN-13", "TEN-16")
def test_the_whole_trail_is_taken_out_as_a_file(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    for name in "abc":
        admin.post(f"/accounts/{account.id}/companies", json={"name": name})

    answer = exported(admin, account)

    assert answer.status_code == 200
    assert answer.mimetype == "application/x-ndjson"
    today = clock.now().date().isoformat()
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="audit-{account.id}-{today}.jsonl"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    first, *rest = lines(answer)
    assert [row["event"] for row in rest] == ["company:created"] * 3
    assert rest[0]["actor"] == f"person:{admin.person_id}"
    assert rest[0]["actor_name"]
    assert (first["event"], first["actor"]) == ("account:audit:exported", rest[0]["actor"])


@pytest.mark.product("TEN-13")
def test_the_trail_is_taken_out_with_the_filters_of_the_list(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    made = admin.post(f"/accounts/{account.id}/companies", json={"name": "a"}).json
    admin.post(f"/accounts/{account.id}/users", json={"email": "anna@example.com"})
    moment = lines(exported(admin, account, "?event=company"))[0]["at"].replace("+00:00", "Z")

    def events(query):
        return {row["event"] for row in lines(exported(admin, account, query))}

    assert events("?event=company") == {"company:created"}
    assert events(f"?subject=company:{made['id']}") == {"company:created"}
    assert events(f"?actor=person:{admin.person_id}&event=member") == {"member:added"}
    assert events(f"?before={moment}") == set()
    assert "company:created" in events(f"?since={moment}")
    assert exported(admin, account, "?limit=5").status_code == 422


@pytest.mark.product("TEN-13")
@pytest.mark.parametrize(
    ("accept", "query", "mimetype"),
    [
        (None, "", "application/x-ndjson"),
        ("*/*", "", "application/x-ndjson"),
        ("text/csv", "", "text/csv"),
        ("application/json;q=0.9, text/*;q=0.5", "", "text/csv"),
        ("application/x-ndjson", "?format=csv", "text/csv"),
        ("text/html", "?format=jsonl", "application/x-ndjson"),
    ],
)
def test_the_form_is_chosen_by_what_is_asked_for(world, accept, query, mimetype):
    account = making.an_account("Zielony Dom")
    headers = {} if accept is None else {"Accept": accept}

    answer = exported(world.admin(account), account, query, headers=headers)

    assert answer.mimetype == mimetype


@pytest.mark.product("TEN-13")
def test_a_form_that_there_is_not_is_refused_and_nothing_is_taken_out(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)

    answer = exported(admin, account, headers={"Accept": "application/pdf"})

    assert (answer.status_code, answer.json["code"]) == (406, "not_acceptable")
    assert admin.get(f"/accounts/{account.id}/audit").json["items"] == []


@pytest.mark.product("TEN-13")
@pytest.mark.security("15.6")
def test_a_spreadsheet_computes_nothing_of_it(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    with db.transaction(tenant=account.id) as session:
        record(
            session,
            account=account.id,
            event=AccountEvent.CHANGED,
            actor="=cmd|' /C calc'!A1",
            subject=f"account:{account.id}",
            now=clock.now(),
        )

    answer = exported(admin, account, "?format=csv&event=account:changed")
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert row["actor"] == "'=cmd|' /C calc'!A1"


@pytest.mark.product("TEN-13")
def test_a_long_trail_is_read_while_it_is_written(world, monkeypatch):
    monkeypatch.setattr(trail, "MOST", 2)
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)
    for number in range(7):
        admin.post(f"/accounts/{account.id}/companies", json={"name": f"{number}"})

    answer = exported(admin, account, "?event=company")

    assert len({row["subject"] for row in lines(answer)}) == 7


@pytest.mark.product("TEN-13")
@pytest.mark.security("12.8")
def test_a_person_who_takes_it_out_has_just_signed_in(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account, signed_in_ago=timedelta(minutes=11))

    answer = exported(admin, account)

    assert (answer.status_code, answer.json["code"]) == (401, "sign_in_too_old")
    assert "max_age=600" in answer.headers["WWW-Authenticate"]
    assert admin.get(f"/accounts/{account.id}/audit").json["items"] == []


@pytest.mark.product("TEN-10", "TEN-13")
@pytest.mark.security("12.1")
def test_a_program_takes_it_out_by_a_key_that_may_read_the_trail(world):
    account = making.an_account("Zielony Dom")
    admin = world.admin(account)

    def a_key(*permissions):
        draft = {"name": "SIEM", "permissions": list(permissions)}
        made = admin.post(f"/accounts/{account.id}/api-keys", json=draft)
        assert made.status_code == 201, made.text
        return Speaker(world.app.test_client(), made.json["key"])

    answer = exported(a_key("audit:read"), account)

    assert answer.status_code == 200
    assert lines(answer)[0]["actor"].startswith("key:")
    assert exported(a_key("users:read"), account).status_code == 403
    assert exported(world.member(account, "users:read"), account).status_code == 403
    other = making.an_account("Inny Dom")
    assert exported(world.admin(other), account).status_code == 404


@pytest.mark.product("TEN-13")
@pytest.mark.security("18.6")
def test_it_is_taken_out_so_often_and_no_more(world, monkeypatch):
    monkeypatch.setattr(audit, "EXPORTS", Window("few", limit=2, every=timedelta(hours=1)))
    account, other = making.an_account("Zielony Dom"), making.an_account("Inny Dom")
    admin = world.admin(account)
    for _ in range(2):
        assert exported(admin, account).status_code == 200

    refused = exported(admin, account)

    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert exported(world.admin(other), other).status_code == 200
