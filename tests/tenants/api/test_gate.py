"""The gate: whose credentials, which account, which right, how often."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.api import Forbidden, ScopeMissing, Unauthenticated
from kernel.api.problems import BadCredentials
from kernel.errors import NotFound
from kernel.limits import Window
from tenants.api import gate as gates
from tenants.api.callers import Caller, Kind
from tenants.api.demands import (
    anywhere,
    by_itself,
    by_ours,
    membership,
    on_account,
    on_company,
    oneself,
)
from tenants.api.gate import FRESH, Gate, SignInTooOld, WrongCredentials, demand_fresh_sign_in
from tenants.roles.power import Actor, Power, Right
from tests.tenants import making

ACCOUNT, OTHER, COMPANY = "0" * 12, "1" * 12, "c" * 16
READ = Right("accounts", "companies:read")


def a_caller(power: Power | None = None, **changes) -> Caller:
    power = power or Power(account=ACCOUNT, is_admin=True)
    facts: dict[str, Any] = {
        "kind": Kind.PERSON,
        "actor": Actor("person:1", power),
        "scopes": frozenset({"accounts"}),
        "account": ACCOUNT,
    } | changes
    return Caller(**facts)


def admit(caller: Caller, demand, **place) -> None:
    Gate([]).admit(caller, demand, {"account": ACCOUNT, **place})


def test_the_first_who_knows_the_credentials_says_whose_they_are(now):
    known = a_caller()
    gate = Gate(
        [
            lambda credential, *, now: None,
            lambda credential, *, now: known if credential == "good" else None,
        ]
    )

    assert gate.who("Bearer good", now=now) is known
    assert gate.who("bearer  good ", now=now) is known
    with pytest.raises(BadCredentials):
        gate.who("Bearer other", now=now)


@pytest.mark.security("7.8")
@pytest.mark.parametrize("header", [None, "", "good", "Basic good", "Bearer", "Bearer  "])
def test_what_is_no_bearer_credential_is_none(now, header):
    with pytest.raises(Unauthenticated):
        Gate([]).who(header, now=now)


@pytest.mark.security("13.1")
def test_the_account_of_the_path_is_that_of_the_credentials():
    admit(a_caller(), on_account("account:manage"))

    with pytest.raises(NotFound):
        admit(a_caller(), on_account("account:manage"), account=OTHER)
    with pytest.raises(NotFound):
        admit(a_caller(account=None), membership())


@pytest.mark.security("13.1")
def test_power_in_another_account_is_none_here():
    with pytest.raises(NotFound):
        admit(a_caller(Power(account=OTHER, is_admin=True)), membership())


def test_what_is_about_oneself_needs_no_account():
    admit(a_caller(account=None), oneself(), account=OTHER)


@pytest.mark.security("12.1")
def test_what_binds_a_person_elsewhere_is_done_through_our_own_applications_alone():
    admit(a_caller(account=None, is_ours=True), by_ours(oneself()), account=OTHER)

    with pytest.raises(WrongCredentials):
        admit(a_caller(), by_ours(oneself()))
    with pytest.raises(WrongCredentials):
        admit(a_caller(), by_ours(on_account("account:manage", Kind.PERSON)))


@pytest.mark.security("13.1")
def test_what_an_application_does_by_itself_is_for_nobody_else():
    """In which accounts is decided by the operation, which reads their names from the request."""
    admit(a_caller(kind=Kind.CLIENT, account=None, scopes=frozenset({"provisioning"})), by_itself())

    with pytest.raises(ScopeMissing):
        admit(a_caller(kind=Kind.CLIENT, account=None, scopes=frozenset({"accounts"})), by_itself())
    for kind in (Kind.PERSON, Kind.KEY):
        with pytest.raises(WrongCredentials):
            admit(a_caller(kind=kind, scopes=frozenset({"provisioning"})), by_itself())


@pytest.mark.security("12.1")
def test_a_right_on_one_company_counts_there_alone():
    clerk = a_caller(Power(account=ACCOUNT, on_companies={COMPANY: frozenset({READ})}))

    admit(clerk, on_company("companies:read"), company=COMPANY)
    admit(clerk, anywhere("companies:read"))
    for demand, place in (
        (on_company("companies:read"), {"company": "d" * 16}),
        (on_account("companies:read"), {}),
        (anywhere("users:read"), {}),
    ):
        with pytest.raises(Forbidden):
            admit(clerk, demand, **place)


@pytest.mark.security("12.7", "7.2")
def test_only_the_kinds_that_an_operation_takes_pass_and_with_their_scope():
    with pytest.raises(WrongCredentials):
        admit(a_caller(kind=Kind.CLIENT), on_account("account:manage"))
    with pytest.raises(WrongCredentials):
        admit(a_caller(kind=Kind.KEY), on_account("api-keys:manage", Kind.PERSON))
    with pytest.raises(ScopeMissing):
        admit(a_caller(scopes=frozenset({"openid"})), on_account("account:manage"))
    admit(a_caller(scopes=frozenset({"account:manage"})), on_account("account:manage"))
    admit(a_caller(kind=Kind.KEY, scopes=frozenset()), on_account("account:manage"))


@pytest.mark.security("12.8")
def test_what_can_not_be_undone_takes_a_sign_in_of_the_last_minutes(now):
    demand_fresh_sign_in(a_caller(auth_time=now - FRESH), now=now)

    for auth_time in (None, now - FRESH - timedelta(seconds=1)):
        with pytest.raises(SignInTooOld):
            demand_fresh_sign_in(a_caller(auth_time=auth_time), now=now)


@pytest.mark.security("13.5")
def test_requests_are_counted_for_the_caller_and_for_the_account(world, monkeypatch):
    monkeypatch.setattr(gates, "PER_CALLER", Window("caller", limit=2, every=timedelta(minutes=1)))
    monkeypatch.setattr(
        gates, "PER_ACCOUNT", Window("account", limit=3, every=timedelta(minutes=1))
    )
    account, other = making.an_account("Zielony Dom"), making.an_account("Biuro Lis")
    path = f"/accounts/{account.id}"
    one, two = world.member(account), world.member(account)

    assert [one.get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert [two.get(path).status_code for _ in range(2)] == [200, 429]
    assert world.member(other).get(f"/accounts/{other.id}").status_code == 200


@pytest.mark.product("OP-3")
@pytest.mark.security("13.5", "15.3")
def test_what_was_answered_in_one_context_is_not_repeated_in_another(world):
    """An admin adds a user in the whole account; in the context of a company, they could not."""
    account, person_id = making.an_account("Zielony Dom"), making.a_person()
    making.a_member(account.id, person_id, roles=[account.admin_role])
    path, repeated = f"/accounts/{account.id}/users", {"Idempotency-Key": "one"}
    draft = {"email": "anna@example.com"}
    whole = world.speaker(person_id, account.id)
    of_company = world.speaker(person_id, account.id, company=account.main_company)

    first = whole.post(path, json=draft, headers=repeated)
    again = whole.post(path, json=draft, headers=repeated)
    there = of_company.post(path, json=draft, headers=repeated)

    assert (first.status_code, again.data) == (201, first.data)
    assert (there.status_code, there.json["code"]) == (403, "beyond_reach")


def test_whoever_asks_in_many_contexts_of_an_account_is_counted_once():
    gate = Gate([])
    whole, company = a_caller(), a_caller(company=COMPANY)

    assert gate.name(whole) != gate.name(company)
    assert gate.quotas(whole) == gate.quotas(company)
