"""Applications bring people into accounts over HTTP (TEN-15)."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from idp.provisioning import api, service
from kernel.limits import Window
from tenants.database import db
from tenants.members.service import MemberKind
from tenants.people import service as people
from tests.architecture.packages import ROOT
from tests.idp.provider import an_app
from tests.idp.provisioning.conftest import ANNA, CALLBACK, a_program
from tests.idp.visitor import a_person
from tests.tenants import acting, making
from tests.tenants.acting import SEE, USERS, an_office
from tests.tenants.api.speaking import AUDIENCE, Speaker, World

pytestmark = pytest.mark.product("TEN-15")

DRAWN = {"membership_id", "role_id"}
MAKING = ("/provisioning/people", "/provisioning/people/batch")
DEEDS = ("send-access", "block", "unblock", "remove")


def told(answer) -> dict[str, Any]:
    """What an answer says, but for identifiers that are drawn anew."""
    return {name: value for name, value in answer.json.items() if name not in DRAWN}


def drift(answer) -> list[tuple[Any, ...]]:
    return [
        (one["field"], one["asked"], one["found"], one["repaired"]) for one in answer.json["drift"]
    ]


def places(answer) -> set[tuple[Any, ...]]:
    return {(one["role_name"], one["company"]) for one in answer.json["assignments"]}


def row(program, answer):
    return acting.membership(program.account, UUID(answer.json["membership_id"]))


# What can be asked for


def test_a_client_is_there_with_what_was_said(program, office):
    answer = program.provision(phone="+48 601 000 000", locale="pl")

    assert answer.status_code == 200
    assert told(answer) == {
        **ANNA,
        "account": office.id,
        "state": "active",
        "phone": "+48 601 000 000",
        "locale": "pl",
        "assignments": [],
        "is_new": True,
        "drift": [],
        "dry_run": False,
    }


def test_a_user_is_there_with_roles_by_name_or_id_on_the_account_or_companies(program, office):
    answer = program.provision(
        kind="user",
        assignments=[
            {"role": "podgląd"},
            {"role": str(office.editing), "company": office.second},
        ],
    )

    assert answer.status_code == 200
    assert answer.json["state"] == "pending"
    assert places(answer) == {("Podgląd", None), ("Edycja", office.second)}


def test_a_role_may_have_an_end(program):
    end = "2100-01-01T00:00:00.000000Z"

    answer = program.provision(kind="user", assignments=[{"role": "Podgląd", "expires_at": end}])

    assert answer.json["assignments"][0]["expires_at"] == end


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"phone": "no phone"}, "/phone"),
        (
            {"kind": "user", "assignments": [{"role": "Podgląd", "company": "0" * 16}]},
            "/assignments",
        ),
        ({"assignments": [{"role": "Podgląd"}]}, "/assignments"),
        ({"return_to": "https://evil.example/"}, "/return_to"),
        ({"nickname": "Ania"}, "/nickname"),
        ({"delivery": "pigeon"}, "/delivery"),
    ],
)
@pytest.mark.security("12.3", "15.1")
def test_what_can_not_be_is_refused_and_named(program, changes, pointer):
    answer = program.provision(**changes)

    assert 400 <= answer.status_code < 500
    assert [one["pointer"] for one in answer.json["errors"]] == [pointer]
    assert program.read().status_code == 404


def test_a_mail_leads_to_addresses_of_the_application_itself_alone(program):
    from_elsewhere = "https://shop.example/callback"
    a_program(program.speaker.client.application, program.account, redirect_uris=(from_elsewhere,))

    assert program.provision(return_to=from_elsewhere).status_code == 400
    assert program.provision(return_to=f"{CALLBACK}?panel=1").status_code == 200


# Asked twice, done once


@pytest.mark.security("15.3")
def test_asking_again_changes_nothing_and_sends_nothing(program, mailroom):
    first = program.provision(delivery="welcome-link")
    before = acting.trail(program.account)

    again = program.provision(delivery="welcome-link")

    assert again.json == {**first.json, "is_new": False}
    assert acting.trail(program.account) == before
    mailroom.deliver()
    mailroom.deliver()
    assert len(mailroom.sent) == 1


@pytest.mark.security("15.3")
def test_a_request_with_a_key_is_carried_out_once(program):
    body = {"account": program.account, **ANNA}
    first, again = (
        program.speaker.post("/provisioning/people", json=body, headers={"Idempotency-Key": "k-1"})
        for _ in range(2)
    )

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"


def test_another_person_by_the_same_external_id_is_refused(program):
    program.provision()

    other = program.provision(email="ewa@example.com")
    other_kind = program.provision(kind="user")

    assert (other.status_code, other.json["code"]) == (409, "external_id_taken")
    assert other_kind.status_code == 409
    assert program.read().json["email"] == ANNA["email"]


def test_each_application_has_names_of_its_own(program, identity_app, office):
    making.an_application("shop", permissions=["orders:read"])
    making.give(office.id, "shop")
    other = a_program(identity_app, office.id, application="shop")

    mine, others = program.provision(), other.provision(external_id="K-99")

    assert others.json["membership_id"] == mine.json["membership_id"]
    assert others.json["is_new"] is True
    assert (program.read(external_id="K-99").status_code, other.read().status_code) == (404, 404)


# What drifted


def test_what_the_account_changed_meanwhile_is_told_and_left(program, office):
    answer = program.provision(phone="+48 601 000 000")
    making.change_member(office.id, row(program, answer).id, given_name="Ania", phone=None)

    again = program.provision(phone="+48 601 000 000")

    expected = [
        ("given_name", "Anna", "Ania", False),
        ("phone", "+48 601 000 000", None, False),
    ]
    assert drift(again) == drift(program.read()) == expected
    assert again.json["given_name"] == "Ania"


def test_it_is_put_right_where_that_is_asked_for(program, office):
    answer = program.provision()
    making.change_member(office.id, row(program, answer).id, given_name="Ania")

    repaired = program.provision(repair=True)

    assert drift(repaired) == [("given_name", "Anna", "Ania", True)]
    assert repaired.json["given_name"] == "Anna"
    assert program.read().json["drift"] == []


def test_roles_and_companies_drift_and_are_put_right(program, office):
    wanted = [{"role": "Podgląd"}, {"role": "Edycja", "company": office.second}]
    answer = program.provision(kind="user", assignments=wanted)
    membership = row(program, answer).id
    making.unassign(office.id, membership)
    making.assign(office.id, membership, office.editing, office.main)

    found = program.provision(kind="user", assignments=wanted)
    repaired = program.provision(kind="user", assignments=wanted, repair=True)

    assert [(one["role_id"], one["company"], one["found"]) for one in found.json["drift"]] == [
        (str(office.watching), None, None),
        (str(office.editing), office.second, None),
        (str(office.editing), office.main, "always"),
    ]
    assert places(found) == {("Edycja", office.main)}
    assert places(repaired) == {("Podgląd", None), ("Edycja", office.second)}
    assert all(one["repaired"] for one in repaired.json["drift"])


def test_the_external_id_drifts_and_is_put_right(program):
    program.provision()

    found = program.provision(external_id="client-18")
    assert drift(found) == [("external_id", "client-18", "client-17", False)]
    assert (found.json["external_id"], found.json["is_new"]) == ("client-17", False)

    repaired = program.provision(external_id="client-18", repair=True)
    assert repaired.json["external_id"] == "client-18"
    assert program.read(external_id="client-18").status_code == 200
    assert program.read().status_code == 404


def test_a_membership_that_the_account_made_gets_a_name(program, office, mailroom):
    person = a_person(ANNA["email"])
    membership = making.a_client(office.id, person, given_name="Anka")

    answer = program.provision(delivery="welcome-link", family_name=None)

    assert answer.json["membership_id"] == str(membership)
    assert answer.json["is_new"] is True
    assert drift(answer) == [("given_name", "Anna", "Anka", False)]


# A dry run


def test_a_dry_run_changes_nothing(program, everything):
    before = everything()

    answer = program.provision(delivery="temporary-password", dry_run=True)

    assert answer.status_code == 200
    assert answer.json["membership_id"] is None
    assert answer.json["dry_run"] is True
    assert everything() == before


def test_a_dry_run_of_a_repair_tells_what_would_be_and_changes_nothing(program, office, everything):
    answer = program.provision()
    making.change_member(office.id, row(program, answer).id, given_name="Ania")
    before = everything()

    tried = program.provision(repair=True, dry_run=True)

    assert drift(tried) == [("given_name", "Anna", "Ania", True)]
    assert everything() == before


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"email": "no address"}, 400),
        ({"kind": "user", "assignments": [{"role": "admin"}]}, 403),
        ({"account": "0123456789ab"}, 404),
        ({"email": "ewa@example.com"}, 409),
        ({"kind": "user", "assignments": [{"role": "no role"}]}, 403),
        ({"kind": "user", "assignments": [{"role": "Podgląd", "company": "0" * 16}]}, 422),
    ],
)
def test_a_dry_run_checks_everything(program, changes, status):
    program.provision()
    asked = {"external_id": "other"} | changes if status != 409 else changes

    tried = program.provision(dry_run=True, **asked)
    done = program.provision(**asked)

    assert (tried.status_code, tried.json) == (done.status_code, done.json)
    assert tried.status_code == status


# Nobody learns whether the address had an ID


@pytest.mark.security("2.4")
@pytest.mark.parametrize("kind", ["client", "user"])
@pytest.mark.parametrize("delivery", ["temporary-password", "welcome-link", "none"])
def test_answers_are_equal_whether_the_address_had_an_id_or_not(program, kind, delivery):
    a_person("known@example.com")
    answers = [
        program.provision(email=f"{who}@example.com", external_id=who, kind=kind, delivery=delivery)
        for who in ("known", "fresh")
    ]
    answers += [program.read(external_id=who) for who in ("known", "fresh")]

    def seen(answer, who):
        own = {"X-Request-ID", "RateLimit", "Date"}
        headers = [one for one in answer.headers if one[0] not in own]
        return answer.status_code, headers, str(told(answer)).replace(who, "who")

    known, fresh = seen(answers[0], "known"), seen(answers[1], "fresh")
    assert known == fresh
    assert seen(answers[2], "known") == seen(answers[3], "fresh")


@pytest.mark.security("2.4")
def test_what_others_did_with_the_id_shows_nowhere(program, identity_app):
    """The account knows its own note of a person, and nothing of the ID."""
    with db.transaction() as session:
        people.create(
            session,
            email=ANNA["email"],
            given_name="Secret",
            family_name="Name",
            locale="en",
            now=making.LONG_AGO,
        )

    answer = program.provision(given_name=None, family_name=None)

    assert (answer.json["given_name"], answer.json["locale"]) == (None, None)
    assert "Secret" not in answer.get_data(as_text=True)


# What an application may grant


@pytest.mark.security("12.4")
def test_nobody_is_made_an_admin_or_a_manager(program, office):
    making.an_application("shop", permissions=["orders:read"])
    making.a_role(office.id, "Kadry", rights=USERS)
    making.a_role(office.id, "Sklep", rights=(SEE, ("shop", "orders:read")))

    for role in ("admin", "Kadry", "Sklep", "Sprzedaż"):
        for company in (None, office.second):
            answer = program.provision(
                kind="user", assignments=[{"role": role, "company": company}]
            )
            assert (answer.status_code, answer.json["code"]) == (403, "may_not_grant"), role
    assert program.read().status_code == 404


@pytest.mark.security("12.4")
def test_whoever_holds_more_is_neither_blocked_nor_removed_nor_demoted(program, office):
    person = a_person(ANNA["email"])
    membership = making.a_member(
        office.id, person, roles=[office.account.admin_role, office.watching]
    )
    answer = program.provision(
        kind="user", assignments=[], repair=True, given_name=None, family_name=None
    )

    assert [one["role_id"] for one in answer.json["drift"]] == [str(office.watching)]
    held = {role for role, _, _ in acting.holdings(office.id, membership)}
    assert held == {office.account.admin_role}
    for what in ("block", "remove"):
        refused = program.do(what)
        assert (refused.status_code, refused.json["code"]) == (403, "may_not_grant")
    assert "admin" not in str(program.read().json)


# Block, unblock, remove


def test_who_was_provisioned_is_blocked_unblocked_and_removed(program, office):
    answer = program.provision()
    membership = UUID(answer.json["membership_id"])

    assert program.do("block").json["state"] == "blocked"
    assert program.provision(delivery="welcome-link").json["state"] == "blocked"
    assert program.do("send-access").json["code"] == "membership_blocked"
    assert program.do("unblock").json["state"] == "active"
    assert program.do("remove").status_code == 204

    assert acting.membership(office.id, membership) is None
    assert program.read().status_code == 404
    assert program.provision().json["is_new"] is True


def test_the_id_stays_the_persons(program):
    program.provision()
    program.do("remove")

    with db.reading() as session:
        assert people.find_by_email(session, ANNA["email"]) is not None


@pytest.mark.product("TEN-13")
def test_what_it_did_stands_in_the_accounts_history_and_is_told(program, office):
    program.provision(delivery="welcome-link")
    program.do("send-access")
    program.do("block")

    assert acting.trail(office.id) == [
        "client-account:added",
        "provisioning:named",
        "provisioning:access:sent",
        "client-account:blocked",
    ]
    actors = acting.actors(office.id)
    assert actors == {f"client:{program.app.id}"}
    assert [kind for kind, _, _ in acting.facts()] == ["client.added", "client.blocked"]


# Many at once


def test_a_batch_has_a_result_for_each_row(program, office):
    account = program.account
    rows = [
        {
            **ANNA,
            "account": account,
            "external_id": f"c-{number}",
            "email": f"c{number}@example.com",
        }
        for number in range(api._MOST_ROWS)
    ]
    rows[3]["email"] = "no address"
    rows[5]["account"] = "0123456789ab"
    rows[7] |= {"kind": "user", "assignments": [{"role": "admin"}]}

    answer = program.speaker.post("/provisioning/people/batch", json={"people": rows})

    assert answer.status_code == 200
    results = answer.json["results"]
    assert [one["external_id"] for one in results] == [one["external_id"] for one in rows]
    bad = {n: one["problem"]["code"] for n, one in enumerate(results) if one["status"] != 200}
    assert bad == {3: "not_an_address", 5: "not_found", 7: "may_not_grant"}
    assert results[3]["problem"]["errors"][0]["pointer"] == "/email"
    assert results[0]["person"]["is_new"] is True
    again = program.speaker.post("/provisioning/people/batch", json={"people": rows})
    assert {one["person"]["is_new"] for one in again.json["results"] if one["person"]} == {False}


@pytest.mark.parametrize("number", [0, 101])
def test_a_batch_has_from_one_to_a_hundred_rows(program, number):
    rows = [{**ANNA, "account": program.account}] * number

    answer = program.speaker.post("/provisioning/people/batch", json={"people": rows})

    assert answer.status_code == 422


@pytest.mark.security("15.1")
@pytest.mark.parametrize("window", ["PER_CLIENT", "PER_ACCOUNT"])
def test_an_application_brings_only_so_many_in_an_hour(program, monkeypatch, window):
    monkeypatch.setattr(service, window, Window("few", limit=2, every=timedelta(hours=1)))

    statuses = [program.provision(dry_run=True).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


# Who is let in, and where


@pytest.mark.security("13.1", "13.7")
@pytest.mark.parametrize("changes", [{}, {"kind": "user"}, {"dry_run": True}, {"repair": True}])
def test_an_account_without_the_application_is_not_there(program, identity_app, changes):
    stranger = making.an_account("Inne biuro")
    making.a_client(stranger.id, a_person(ANNA["email"]))

    found = program.provision(account=stranger.id, **changes)
    missing = program.provision(account="0123456789ab", **changes)

    assert found.status_code == missing.status_code == 404
    assert found.data == missing.data


@pytest.mark.security("13.1", "13.7")
def test_what_another_account_has_is_nothing_here(program, identity_app):
    other = an_office("Drugie biuro")
    there = a_program(identity_app, other.id)
    there.provision()

    assert program.read().status_code == 404
    assert program.read().data == program.read(account="0123456789ab").data
    for what in DEEDS:
        here, nowhere = program.do(what), program.do(what, account="0123456789ab")
        assert (here.status_code, here.data) == (404, nowhere.data)
    refused = program.provision(
        kind="user", assignments=[{"role": str(other.watching)}, {"role": "Podgląd"}]
    )
    assert (refused.status_code, refused.json["code"]) == (403, "may_not_grant")
    elsewhere = program.provision(
        kind="user", assignments=[{"role": "Podgląd", "company": other.second}]
    )
    assert elsewhere.status_code == 422


@pytest.mark.security("13.1")
@pytest.mark.parametrize("what", DEEDS)
def test_nobody_whom_it_has_no_name_for_is_in_its_reach(program, office, what):
    making.a_client(office.id, a_person(ANNA["email"]))

    assert program.do(what).status_code == 404


@pytest.mark.security("12.1")
def test_the_scope_has_to_be_in_the_token_and_in_the_registration(identity_app, office):
    without = a_program(identity_app, office.id, scopes=("reports:read",))

    answer = without.provision()

    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")


@pytest.mark.security("12.1")
def test_neither_people_nor_keys_provision(identity_app, office, program):
    asker = an_app(
        first_party=True,
        application="accounts",
        audiences=(AUDIENCE,),
        scopes=("openid", "accounts", "provisioning"),
    )
    world = World(identity_app, asker)
    admin = world.admin(office.account, scopes=("openid", "accounts", "provisioning"))
    stranger = Speaker(identity_app.test_client())

    for path in MAKING:
        body = {"account": office.id, **ANNA}
        answer = admin.post(path, json={"people": [body]} if "batch" in path else body)
        assert (answer.status_code, answer.json["code"]) == (403, "credentials_unsuitable")
        assert stranger.post(path, json=body).status_code == 401


def test_both_kinds_of_membership_have_a_name_in_the_api():
    assert set(api._KINDS.values()) == set(MemberKind)


def test_what_the_page_for_applications_shows_works(program):
    page = (ROOT / "docs/relying-applications/provisioning.md").read_text()
    said = json.loads(page.partition("```json")[2].partition("```")[0])

    answer = program.speaker.post("/provisioning/people", json={**said, "account": program.account})

    assert answer.status_code == 200
    assert answer.json["email"] == said["email"]
