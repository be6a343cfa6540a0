"""What a person hears about themselves: accounts, companies, permissions."""

import pytest

from tenants.api import me
from tenants.database import db
from tests.idp import provider
from tests.statements import asked_of
from tests.tenants import making
from tests.tenants.api.speaking import AUDIENCE, World


@pytest.fixture
def account(world):
    return making.an_account("Zielony Dom", applications=["crm"])


SCOPES = ("openid", "accounts")


@pytest.fixture
def foreign(world):
    """The same through somebody else's application, which both accounts have."""
    making.an_application("else", for_every_account=True, permissions=["things:read"])
    program = provider.an_app(application="else", audiences=(AUDIENCE,), scopes=SCOPES)
    return World(world.app, program)


@pytest.fixture
def anna(account):
    """An admin of two accounts, and a client of a third."""
    person_id = making.a_person()
    for each in (account, making.an_account("Biuro Lis", applications=["crm"])):
        making.a_member(each.id, person_id, roles=[each.admin_role])
    making.a_client(making.an_account("Ągar").id, person_id)
    return person_id


def through(foreign, person_id, account=None, **token):
    """What the person let the application have."""
    provider.allow(foreign.program, person_id, scopes=SCOPES, account=account)
    return foreign.speaker(person_id, account, **token)


@pytest.mark.product("TEN-1", "TEN-9")
def test_all_accounts_are_listed_with_what_one_is_there(world, account):
    person_id = making.a_person()
    other, third = making.an_account("Biuro Lis"), making.an_account("Ągar")
    making.a_member(account.id, person_id, roles=[account.admin_role])
    making.a_client(account.id, person_id)
    making.a_client(other.id, person_id)
    making.a_member(third.id, person_id, state="pending")

    told = world.speaker(person_id).get("/me/contexts").json["items"]

    seen = {each["name"]: each for each in told}
    assert set(seen) == {"Zielony Dom", "Biuro Lis", "Ągar"}
    here = seen["Zielony Dom"]
    assert (here["member_state"], here["client_state"]) == ("active", "active")
    assert [each["id"] for each in here["companies"]] == [account.main_company]
    assert {"crm", "portal"} <= set(here["applications"])
    assert (seen["Biuro Lis"]["member_state"], seen["Biuro Lis"]["companies"]) == (None, [])
    assert (seen["Ągar"]["member_state"], seen["Ągar"]["companies"]) == ("pending", [])


@pytest.mark.product("TEN-9", "TEN-16")
def test_the_accounts_come_in_pages_by_name(world):
    person_id = making.a_person()
    names = ["Alfa", "beta", "Gamma", "Gamma", "delta"]
    for name in names:
        made = making.an_account(name)
        making.a_member(made.id, person_id, roles=[made.admin_role])
        making.a_client(made.id, person_id)
    asking = world.speaker(person_id)

    first = asking.get("/me/contexts?limit=2")
    second = asking.get(f"/me/contexts?limit=2&cursor={first.json['next']}").json
    third = asking.get(f"/me/contexts?limit=2&cursor={second['next']}").json

    pages = [first.json, second, third]
    assert [one["name"] for page in pages for one in page["items"]] == [
        *("Alfa", "beta", "delta", "Gamma", "Gamma")
    ]
    assert len({one["account"] for page in pages for one in page["items"]}) == 5
    assert third["next"] is None
    assert 'rel="next"' in first.headers["Link"]
    assert asking.get("/me/contexts?limit=201").status_code == 422


@pytest.mark.security("13.6")
def test_a_cursor_of_somebody_else_leads_nowhere(world, anna):
    other = making.a_person()
    making.a_client(making.an_account("Cudzy").id, other)
    cursor = world.speaker(anna).get("/me/contexts?limit=1").json["next"]

    answer = world.speaker(other).get(f"/me/contexts?limit=1&cursor={cursor}")

    assert (answer.status_code, answer.json["code"]) == (422, "cursor_unusable")


@pytest.mark.product("TEN-9")
def test_companies_are_those_of_the_roles_that_hold_now(world, now):
    person_id, named = making.a_person(), {}
    for name in ("whole", "one", "over", "blocked"):
        made = named[name] = making.an_account(name)
        making.a_company(made.id, "Archiwum", archived_at=making.LONG_AGO)
        second = making.a_company(made.id, "Budowa")
        role = making.a_role(made.id)
        state = "blocked" if name == "blocked" else "active"
        member = making.a_member(made.id, person_id, state=state)
        ends = making.LONG_AGO if name == "over" else None
        place = None if name in {"whole", "blocked"} else second
        making.assign(made.id, member, role, place, expires_at=ends)
        making.a_member(made.id, roles=[made.admin_role])

    told = world.speaker(person_id).get("/me/contexts").json["items"]

    companies = {each["name"]: [one["name"] for one in each["companies"]] for each in told}
    assert companies == {"whole": ["Budowa", "whole"], "one": ["Budowa"], "over": [], "blocked": []}


@pytest.mark.product("TEN-9")
def test_of_each_account_so_many_companies_are_told_by_name(world, monkeypatch):
    monkeypatch.setattr(me, "_MOST_COMPANIES", 2)
    person_id = making.a_person()
    for name in ("Alfa", "Beta"):
        made = making.an_account(name)
        making.a_member(made.id, person_id, roles=[made.admin_role])
        for each in ("Aa", "Ab"):
            making.a_company(made.id, each, sort_name=each.casefold())

    told = world.speaker(person_id).get("/me/contexts").json["items"]

    assert [[one["name"] for one in each["companies"]] for each in told] == [["Aa", "Ab"]] * 2


@pytest.mark.security("18.6")
def test_fifty_accounts_cost_no_more_statements_than_one(world):
    costs = []
    for count in (1, 50):
        person_id = making.a_person()
        for number in range(count):
            made = making.an_account(f"Dom {number}", applications=["crm"])
            making.a_member(made.id, person_id, roles=[made.admin_role])
        asking = world.speaker(person_id)
        asking.get("/me")

        with asked_of(db.engine) as asked:
            told = asking.get("/me/contexts").json["items"]

        assert len(told) == count
        assert all(one["companies"] and "crm" in one["applications"] for one in told)
        costs.append(len(asked.statements))
    assert costs[0] == costs[1]


@pytest.mark.product("TEN-9", "OP-3")
def test_permissions_are_told_in_words_for_the_context_of_the_token(world, account):
    person_id, company = making.a_person(), making.a_company(account.id)
    role = making.a_role(account.id, rights=[("crm", "contacts:read"), ("accounts", "users:read")])
    making.a_member(account.id, person_id, roles=[(role, company)])
    person = world.speaker(person_id, account.id)

    whole = person.get("/me/permissions").json
    there = person.get(f"/me/permissions?company={company}").json

    assert all(one["permissions"] == [] for one in whole["applications"])
    told = {one["id"]: one["permissions"] for one in there["applications"]}
    assert [each["name"] for each in told["crm"]] == ["contacts:read"]
    assert told["accounts"][0]["labels"] == {"en": "See users", "pl": "Podgląd użytkowników"}


@pytest.mark.security("13.1")
def test_another_account_than_that_of_the_token_is_not_there(world, account):
    person_id, other = making.a_person(), making.an_account("Biuro Lis")
    for each in (account, other):
        making.a_member(each.id, person_id, roles=[each.admin_role])
    person = world.speaker(person_id, account.id)

    assert person.get(f"/me/permissions?account={account.id}").status_code == 200
    assert person.get(f"/me/permissions?account={other.id}").status_code == 404
    assert person.get(f"/me/permissions?company={other.main_company}").status_code == 404


def test_a_place_is_accepted_and_left(world, account):
    person_id = making.a_person()
    making.a_member(account.id, person_id, state="pending", accepted_at=None)
    person, path = world.speaker(person_id), f"/me/contexts/{account.id}"

    assert person.post(f"{path}/accept").status_code == 204
    assert person.get("/me/contexts").json["items"][0]["member_state"] == "active"
    assert person.post(f"{path}/leave").status_code == 204
    assert person.get("/me/contexts").json["items"] == []
    assert person.post(f"{path}/leave").status_code == 404


def test_the_last_admin_does_not_leave(world, account):
    admin = world.admin(account)

    answer = admin.post(f"/me/contexts/{account.id}/leave")

    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")


@pytest.mark.security("13.1", "12.1")
def test_somebody_elses_application_is_told_of_the_account_of_its_token_alone(
    foreign, world, account, anna
):
    told = through(foreign, anna, account.id).get("/me/contexts").json["items"]
    nowhere = through(foreign, anna).get("/me/contexts").json["items"]
    ours = world.speaker(anna, account.id).get("/me/contexts").json["items"]

    assert [each["name"] for each in told] == ["Zielony Dom"]
    assert nowhere == []
    assert {each["name"] for each in ours} == {"Ągar", "Biuro Lis", "Zielony Dom"}


@pytest.mark.security("13.1", "12.1")
def test_somebody_elses_application_is_told_of_the_company_of_its_token_alone(
    foreign, world, account, anna
):
    making.a_company(account.id, "Druga")
    here = {"company": account.main_company}

    for asked, seen in (
        (through(foreign, anna, account.id), 2),
        (through(foreign, anna, account.id, **here), 1),
        (world.speaker(anna, account.id, **here), 2),
    ):
        context = next(
            each
            for each in asked.get("/me/contexts").json["items"]
            if each["account"] == account.id
        )
        assert len(context["companies"]) == seen
        assert account.main_company in {each["id"] for each in context["companies"]}


@pytest.mark.security("12.1")
@pytest.mark.parametrize("what", ["accept", "leave"])
@pytest.mark.parametrize("has_context", [True, False])
def test_somebody_elses_application_neither_takes_nor_leaves_a_place(
    foreign, world, account, what, has_context
):
    """Not even in the account of its own token: that binds the person beyond what they allowed."""
    person_id = making.a_person()
    waiting = making.an_account("Biuro Lis")
    making.a_member(account.id, person_id)
    making.a_member(waiting.id, person_id, state="pending", accepted_at=None)
    asking = through(foreign, person_id, account.id if has_context else None)

    for place in (account, waiting):
        answer = asking.post(f"/me/contexts/{place.id}/{what}")

        assert (answer.status_code, answer.json["code"]) == (403, "credentials_unsuitable")
    states = {
        each["name"]: each["member_state"]
        for each in world.speaker(person_id).get("/me/contexts").json["items"]
    }
    assert states == {"Zielony Dom": "active", "Biuro Lis": "pending"}


@pytest.mark.security("12.1")
def test_somebody_elses_application_makes_no_account_in_the_name_of_a_person(foreign, anna):
    answer = through(foreign, anna).post("/accounts", json={"name": "Nowe"})

    assert (answer.status_code, answer.json["code"]) == (403, "credentials_unsuitable")


@pytest.mark.product("OP-3")
@pytest.mark.security("12.1", "12.2")
def test_somebody_elses_application_is_told_of_its_own_permissions_and_those_of_this_api(
    foreign, world, account, anna
):
    path = "/me/permissions"

    told = through(foreign, anna, account.id).get(path).json["applications"]
    ours = world.speaker(anna, account.id).get(path).json["applications"]

    assert {each["id"] for each in told} == {"accounts", "else"}
    assert {"crm", "portal"} <= {each["id"] for each in ours}


@pytest.mark.product("OP-3")
@pytest.mark.security("13.1")
def test_a_token_for_one_company_tells_of_the_permissions_on_no_other(world, account, anna):
    other = making.a_company(account.id)
    person = world.speaker(anna, account.id, company=account.main_company)

    assert person.get("/me/permissions").json["company"] == account.main_company
    assert person.get(f"/me/permissions?company={account.main_company}").status_code == 200
    assert person.get(f"/me/permissions?company={other}").status_code == 404
