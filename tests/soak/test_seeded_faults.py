"""The matrices notice a fault: forty of them, one at a time, each of which somebody could make.

The tests of `tests/isolation` are run in this process against the faulty program. A filter in the code
and a wall below it fall together; where one of the two falls alone, the other has to hold.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from idp.api_access import keys
from kernel.api import Demand
from kernel.database.scopes import OutOfTenant, tenant_tables
from tenants.api import gate
from tenants.api.callers import Caller, Kind
from tenants.api.demands import AccountDemand, anywhere, membership
from tenants.api.gate import Gate
from tenants.applications.rights import Right
from tenants.database import Base
from tenants.roles import power as powers
from tenants.roles.power import Actor, Power
from tests.conftest import MakeDatabase
from tests.isolation import declared, test_api, test_roles
from tests.isolation.estate import an_estate
from tests.isolation.lasting import lasting
from tests.isolation.requests import Described
from tests.soak import faults
from tests.soak.faults import Seeded
from tests.tenants.api.speaking import World, a_world

pytestmark = [pytest.mark.security("13.7", "13.3", "12.1", "20.3", "20.4")]


class Stage:
    """Everybody of both matrices, on one installation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.renew()

    def renew(self) -> None:
        """Everybody anew: a fault may have let somebody change what the others stand on."""
        self.home = test_roles.a_home(self._world)
        self.cast = test_api.a_cast(self._world, self.home.other)


@pytest.fixture(scope="module")
def stage(make_database: MakeDatabase) -> Iterator[Stage]:
    for app in lasting(make_database):
        yield Stage(a_world(app))


# What of the matrices is run, the quickest to notice first.
Probe = tuple[Callable[..., None], Described]
MATRIX: list[tuple[Callable[..., None], list[Described]]] = [
    (test_api.test_what_belongs_to_another_account_is_not_there, test_api.DEEPER),
    (test_api.test_whoever_is_at_home_can_do_it_and_touches_nobody_else, test_api.IN_AN_ACCOUNT),
    (test_api.test_what_belongs_to_another_account_is_nothing_in_a_body, test_api.WITH_BODY_SLOTS),
    (
        test_api.test_what_belongs_to_another_account_is_nothing_in_a_query,
        test_api.WITH_QUERY_SLOTS,
    ),
    (test_api.test_an_account_is_closed_to_strangers, test_api.IN_AN_ACCOUNT),
    (test_api.test_who_is_at_home_in_both_acts_where_the_token_says, test_api.IN_AN_ACCOUNT),
    (test_roles.test_whoever_may_not_is_refused_and_changes_nothing, declared.IN_AN_ACCOUNT),
    (
        test_roles.test_what_is_about_oneself_is_for_every_person_and_for_nothing_else,
        declared.ABOUT_ONESELF,
    ),
    (
        test_roles.test_an_application_that_the_account_has_provisions_and_nobody_else_does,
        declared.OF_APPLICATIONS,
    ),
]


def probes(operation: str | None = None, *, roles_first: bool = False) -> Iterator[Probe]:
    """All of the matrix, or what there is about one operation."""
    for test, operations in reversed(MATRIX) if roles_first else MATRIX:
        for one in operations:
            if operation in {None, one.id}:
                yield test, one


def what_happens(stage: Stage, probe: Probe, seeded: Seeded) -> Exception | None:
    """Run one test of the matrix with the fault; None: it passed."""
    test, operation = probe
    there: dict[str, Any] = {"cast": stage.cast, "home": stage.home, "operation": operation}
    wanted = inspect.signature(test).parameters
    if "victim" in wanted:
        # Made while all is well.
        there["victim"] = an_estate(stage.home.world)
    try:
        with seeded.fault():
            test(**{name: there[name] for name in wanted})
    except Exception as red:
        return red
    return None


def notices(
    stage: Stage, seeded: Seeded, chosen: Iterable[Probe]
) -> tuple[Probe, Exception] | None:
    """The first test that goes red. Where a wall refuses the statement, the fault is held."""
    for probe in chosen:
        red = what_happens(stage, probe, seeded)
        if red is not None and not isinstance(red, OutOfTenant):
            # It is the fault that was noticed: without it the same test passes.
            stage.renew()
            assert what_happens(stage, probe, SOUND) is None
            return probe, red
    return None


# The faults.

SOUND = Seeded("no fault", nullcontext)

TABLES = sorted(table.name for table in tenant_tables(Base.metadata))
# An operation for each permission, and some that are more dangerous than the rest: whoever is in the
# account may do it.
UNDEMANDING = [
    *("change_account", "create_company", "list_companies", "list_users", "change_user"),
    *("set_assignments", "list_clients", "remove_client", "list_roles", "tick_permissions"),
    *("list_invitations", "create_api_key", "rotate_webhook_secret", "list_audit_entries"),
    *("close_account", "hand_account_over"),
]
# What is for the whole account, as if it were for each company: the permission is right.
TOO_NARROW = [
    *(("create_company", "companies:manage"), ("archive_company", "companies:manage")),
    *(("list_clients", "clients:read"), ("add_client", "clients:manage")),
]


ADMIT = Gate.admit


def _as_in_path(self: Gate, caller: Caller, demand: Demand, place: Mapping[str, Any]) -> None:
    ADMIT(self, replace(caller, account=place.get("account", caller.account)), demand, place)


def _any_company(power: Power, right: Right, company: str | None = None) -> bool:
    return bool(powers.reach(power, right))


def _no_kinds(self: Gate, caller: Caller, demand: Demand, place: Mapping[str, Any]) -> None:
    everybody = replace(cast(AccountDemand, demand), kinds=frozenset(Kind))
    ADMIT(self, caller, everybody, place)


@contextmanager
def _path_believed() -> Iterator[None]:
    """The account of the path is not compared with the grant's, nor is the power's account."""
    with (
        faults.patched(Gate, "admit", _as_in_path),
        faults.patched(Actor, "power_in", lambda actor, _account: actor.power),
    ):
        yield


WALLED = [
    Seeded(f"no filter and no wall: {table}", partial(faults.no_filter_and_no_wall, table))
    for table in TABLES
]


@contextmanager
def _demanding_nothing_anywhere(operation: str, demand: AccountDemand) -> Iterator[None]:
    """Neither the gate asks for the right, nor the use case below it."""
    with faults.demanding(operation, demand), faults.patched(powers, "may", lambda *_: True):
        yield


DEMANDS: list[tuple[str, str, AccountDemand]] = [
    *((f"nothing is demanded: {name}", name, membership()) for name in UNDEMANDING),
    *((f"one company is enough: {name}", name, anywhere(right)) for name, right in TOO_NARROW),
]
UNCHECKED = [
    (Seeded(words, partial(_demanding_nothing_anywhere, name, demand)), name)
    for words, name, demand in DEMANDS
]
DECIDED = [
    Seeded("the account of the path is not compared", _path_believed),
    Seeded("every credential is taken", partial(faults.patched, Gate, "admit", _no_kinds)),
    Seeded("the right is not looked at", partial(faults.patched, gate, "may", lambda *_: True)),
    Seeded("a right anywhere is enough", partial(faults.patched, gate, "may", _any_company)),
    Seeded(
        "a key may what its owner may",
        partial(faults.patched, keys, "narrowed", lambda power, _rights: power),
    ),
    Seeded(
        "no scope is asked for",
        partial(faults.patched, AccountDemand, "scope_for", lambda *_: None),
    ),
]
FAULTS = [
    *((one, None) for one in WALLED),
    *UNCHECKED,
    *((one, None) for one in DECIDED),
]


def test_there_are_forty_faults():
    assert len({one.name for one, _ in FAULTS}) == 40


def test_every_fault_turns_the_matrix_red(stage, figure):
    noticed = set()
    for seeded, operation in FAULTS:
        found = notices(stage, seeded, probes(operation, roles_first=seeded in DECIDED))
        if found is None:
            figure(f"{seeded.name}: not noticed")
            continue
        (test, one), red = found
        noticed.add(seeded.name)
        figure(f"{seeded.name}: {test.__name__}[{one.id}], {type(red).__name__}")
    figure(f"{len(noticed)} of {len(FAULTS)} seeded faults noticed")
    assert [one.name for one, _ in FAULTS if one.name not in noticed] == []


def test_where_a_filter_or_a_wall_falls_alone_the_other_holds(stage, figure):
    held = 0
    for table, both in zip(TABLES, WALLED, strict=True):
        found = notices(stage, both, probes())
        assert found is not None, table
        for alone in (faults.no_filter, faults.no_wall):
            seeded = Seeded(f"{alone.__name__}: {table}", partial(alone, table))
            red = what_happens(stage, found[0], seeded)
            assert red is None or isinstance(red, OutOfTenant), (seeded.name, red)
            held += 1
    figure(f"{held} of {2 * len(TABLES)} held by the second wall")


def test_where_the_gate_asks_for_nothing_some_use_cases_ask_themselves(stage, figure):
    held = [
        name
        for words, name, demand in DEMANDS
        if notices(stage, Seeded(words, partial(faults.demanding, name, demand)), probes(name))
        is None
    ]

    figure(f"{len(held)} of {len(DEMANDS)} held by the use case: {', '.join(held)}")
    # Whatever the gate says, nobody gives what they do not hold.
    assert {"set_assignments", "tick_permissions"} <= set(held)
