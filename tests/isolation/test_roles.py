"""Every operation of the API by everybody who could ask: whoever may is let in, and nobody else is.

What is expected follows from the address of the operation (`declared`), and from who asks. Whoever is
refused asks in one account, which stays as it was; whoever is let in may change one of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from kernel.crypto import new_token
from tenants.applications.own import PERMISSIONS
from tests.conftest import MakeDatabase
from tests.idp import provider
from tests.isolation import declared
from tests.isolation.declared import ABOUT_ONESELF, IN_AN_ACCOUNT, OF_APPLICATIONS
from tests.isolation.estate import Estate, an_estate
from tests.isolation.lasting import lasting
from tests.isolation.requests import Described
from tests.tenants import making
from tests.tenants.api.speaking import AUDIENCE, Speaker, World, a_world

pytestmark = [
    pytest.mark.security("20.4", "12.1", "12.2", "12.7"),
    pytest.mark.product("TEN-7", "TEN-16"),
]

NAMES = [permission.name for permission in PERMISSIONS]
# No key manages keys (SECURITY 12.7), so there is no key with that permission.
OF_KEYS = [name for name in NAMES if name != "api-keys:manage"]
PROVISIONED = "client-17"
REFUSED = {401, 403, 404}


@dataclass
class Home:
    """The account in which everybody asks who is refused, and all of them."""

    world: World
    estate: Estate
    other: Estate
    outside: dict[str, Speaker]
    """Those to whom nothing of the account is there."""
    without_role: Speaker
    members: dict[str, Speaker]
    """A member for each permission, who has no other."""
    keys: dict[str, Speaker]
    """An API key for each permission, which has no other."""
    of_company: Speaker
    """The admin of one company."""
    in_company: Speaker
    """An admin of the account, in the context of one company."""
    applications: dict[str, Speaker]
    """Applications that speak for themselves."""


@pytest.fixture(scope="module")
def home(make_database: MakeDatabase) -> Iterator[Home]:
    for app in lasting(make_database):
        yield a_home(a_world(app))


def a_home(world: World) -> Home:
    estate, other = an_estate(world), an_estate(world)
    account = estate.account
    return Home(
        world=world,
        estate=estate,
        other=other,
        outside=_outside(world, estate) | {"admin of another account": other.admin},
        without_role=world.member(account),
        members={name: world.member(account, name) for name in NAMES},
        keys={name: a_key(estate, name) for name in OF_KEYS},
        of_company=admin_of_company(world, estate),
        in_company=admin_in_company(world, estate),
        applications={
            "without the scope": an_application(world, "openid"),
            "that the account does not have": an_application(
                world, "provisioning", of=other.canary
            ),
        },
    )


def _outside(world: World, estate: Estate) -> dict[str, Speaker]:
    """Strangers, and who is in the account and yet not at home in it."""
    account = estate.account.id
    roles = [estate.account.admin_role]
    pending, blocked = making.a_person(), making.a_person()
    late = making.a_member(account, pending, roles=roles)
    stopped = making.a_member(account, blocked, roles=roles)
    client = making.a_person()
    making.a_client(account, client)
    found = {
        "nobody": world.stranger(),
        "somebody without an account": world.speaker(making.a_person()),
        "client": world.speaker(client),
        # The tokens were given while all was well.
        "pending member": world.speaker(pending, account),
        "blocked member": world.speaker(blocked, account),
    }
    making.change_member(account, late, state="pending", accepted_at=None)
    making.change_member(account, stopped, state="blocked")
    return found


def a_key(estate: Estate, *permissions: str) -> Speaker:
    made = estate.admin.post(
        f"/accounts/{estate.account.id}/api-keys",
        json={"name": f"key for {', '.join(permissions)}", "permissions": permissions},
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    return Speaker(estate.world.app.test_client(), made.json["key"])


def admin_of_company(world: World, estate: Estate) -> Speaker:
    person_id = making.a_person()
    held = [(estate.account.admin_role, estate.slots["company"])]
    making.a_member(estate.account.id, person_id, roles=held)
    return world.speaker(person_id, estate.account.id)


def admin_in_company(world: World, estate: Estate) -> Speaker:
    return world.admin(estate.account, company=estate.slots["company"])


def somebody_elses(world: World) -> World:
    """The same through an application that is not one of ours, and that every account has."""
    name = f"other-{new_token(64).lower().replace('_', '').replace('-', '')}"
    making.an_application(name, for_every_account=True)
    program = provider.an_app(
        application=name, audiences=(AUDIENCE,), scopes=("openid", "accounts")
    )
    return World(world.app, program)


def an_application(world: World, scope: str, *, of: str = "portal") -> Speaker:
    """An application with a token of its own, which may ask for this scope."""
    program = provider.an_app(application=of, audiences=(AUDIENCE,), scopes=(scope,))
    client = world.app.test_client()
    answer = provider.trade(client, program, "client_credentials", resource=AUDIENCE)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Speaker(client, answer.json["access_token"])


def by_name(operation: Described) -> str:
    return operation.id


def is_let_in(answer: TestResponse) -> bool:
    """Whether nothing was said against who asks: what was sent may still be no good."""
    assert answer.status_code < 500, answer.get_data(as_text=True)
    return answer.status_code not in REFUSED


def body_for(estate: Estate, operation: Described) -> object:
    """What has to be asked for before: a configuration is signed."""
    if operation.id != "put_configuration":
        return None
    return estate.admin.get(f"/accounts/{estate.account.id}/configuration").json


def refused(home: Home, operation: Described) -> Iterator[tuple[str, Speaker, set[int]]]:
    """Everybody who may not do it, with what they are told."""
    permission, taken = declared.permission_of(operation), declared.taken_by(operation)
    for name, speaker in home.outside.items():
        # Whose token is good for nothing any more is nobody.
        yield name, speaker, {401} if name == "nobody" else {401, 404}
    for name, speaker in home.applications.items():
        yield f"application {name}", speaker, {403}
    if permission is not None:
        yield "member without a role", home.without_role, {403}
        for name in NAMES:
            if name != permission:
                yield f"member with {name}", home.members[name], {403}
        if operation.id not in declared.ON_ONE_COMPANY | declared.NARROWED:
            yield "admin of a company", home.of_company, {403}
            yield "admin in the context of a company", home.in_company, {403}
    if permission is not None and operation.id in declared.FOR_ADMINS:
        yield f"member with {permission}", home.members[permission], {403}
    for name in OF_KEYS:
        if "key" not in taken or permission not in {None, name}:
            yield f"key with {name}", home.keys[name], {403}


def let_in(world: World, operation: Described) -> Sequence[str]:
    """Whoever may do it."""
    permission, taken = declared.permission_of(operation), declared.taken_by(operation)
    found = ["admin"]
    if operation.id not in declared.FOR_ADMINS:
        found.append("member")
        if "key" in taken and permission != "api-keys:manage":
            found.append("key")
    if permission is None or operation.id in declared.ON_ONE_COMPANY:
        found += ["admin of the company", "admin in the company"]
    return found


def the(name: str, estate: Estate, permission: str | None) -> Speaker:
    """Somebody of this account."""
    held = [permission] if permission is not None else []
    match name:
        case "admin":
            return estate.admin
        case "member":
            return estate.world.member(estate.account, *held)
        case "key":
            return a_key(estate, *(held or ["audit:read"]))
        case "admin in the company":
            return admin_in_company(estate.world, estate)
        case _:
            return admin_of_company(estate.world, estate)


@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_whoever_may_not_is_refused_and_changes_nothing(home, operation):
    body = body_for(home.estate, operation)
    before = home.estate.digest()

    answers = {
        name: (operation.send(speaker, home.estate.slots, body=body).status_code, expected)
        for name, speaker, expected in refused(home, operation)
    }

    assert {name: said for name, said in answers.items() if said[0] not in said[1]} == {}
    assert home.estate.digest() == before


@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_whoever_may_is_let_in(home, operation):
    permission = declared.permission_of(operation)
    estate = home.estate if operation.method == "GET" else an_estate(home.world)

    for name in let_in(home.world, operation):
        speaker = the(name, estate, permission)
        answer = operation.send(speaker, estate.slots, body=body_for(estate, operation))

        said = (name, answer.status_code, answer.get_data(as_text=True))
        if operation.id in declared.GIVING and name != "admin" and answer.status_code == 403:
            # Nobody passes on, or takes from others, what they do not hold (SECURITY 12.4).
            assert answer.json["code"] in {"may_not_grant", "not_permitted", "not_owner"}, said
        else:
            assert is_let_in(answer), said
        if operation.method == "DELETE":
            estate = an_estate(home.world)


@pytest.mark.security("12.4", "12.8")
@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_through_somebody_elses_application_an_admin_does_nothing_that_outlives_their_consent(
    home, operation
):
    estate = an_estate(home.world)
    foreign, person_id = somebody_elses(home.world), making.a_person()
    making.a_member(estate.account.id, person_id, roles=[estate.account.admin_role])
    provider.allow(
        foreign.program, person_id, scopes=("openid", "accounts"), account=estate.account.id
    )
    through_another = foreign.speaker(person_id, estate.account.id)
    before = estate.digest()

    answer = operation.send(through_another, estate.slots, body=body_for(estate, operation))

    said = answer.get_data(as_text=True)
    if operation.id in declared.BY_OURS_ALONE:
        assert (answer.status_code, answer.json["code"]) == (403, "credentials_unsuitable"), said
        assert estate.digest() == before
    elif answer.status_code == 403:
        assert answer.json["code"] == "not_owner", said
    else:
        assert is_let_in(answer), said


@pytest.mark.parametrize("operation", ABOUT_ONESELF, ids=by_name)
def test_what_is_about_oneself_is_for_every_person_and_for_nothing_else(home, operation):
    person_id = making.a_person()
    slots = {**home.estate.slots, **_own_place(home.estate, operation, person_id)}
    refused = {
        **{f"key with {name}": key for name, key in home.keys.items()},
        **home.applications,
    }

    assert operation.send(home.outside["nobody"], slots).status_code == 401
    for name, speaker in refused.items():
        assert operation.send(speaker, slots).status_code == 403, name
    # What is asked of a context is asked with a token in it.
    context = home.estate.account.id if operation.query_slots else None
    foreign = somebody_elses(home.world)
    provider.allow(foreign.program, person_id, scopes=("openid", "accounts"), account=context)
    through_another = operation.send(foreign.speaker(person_id, context), slots)
    is_refused = operation.id in declared.BY_OURS_ALONE
    assert is_let_in(through_another) is not is_refused, through_another.get_data(as_text=True)
    mine = operation.send(home.world.speaker(person_id, context), slots)
    assert is_let_in(mine), mine.get_data(as_text=True)


def _own_place(estate: Estate, operation: Described, person_id: UUID) -> dict[str, str]:
    """What an operation about oneself is about: one's own place in an account."""
    if "account" not in [*operation.gaps, *operation.query_slots]:
        return {}
    making.a_member(estate.account.id, person_id)
    return {"account": estate.account.id}


@pytest.mark.product("TEN-15")
@pytest.mark.parametrize("operation", OF_APPLICATIONS, ids=by_name)
def test_an_application_that_the_account_has_provisions_and_nobody_else_does(home, operation):
    estate = an_estate(home.world)
    slots = estate.slots
    in_query = (
        {"account": estate.account.id, "external_id": PROVISIONED}
        if operation.method == "GET"
        else {}
    )
    granted = an_application(home.world, "provisioning")
    _provision(granted, estate)
    # What it calls somebody here says nothing of whom it calls so elsewhere.
    _provision(granted, home.other)
    before, elsewhere = estate.digest(), home.other.digest()
    people = {
        "admin": estate.admin,
        "key": estate.key,
        "member": home.members["clients:manage"],
        **{name: who for name, who in home.outside.items() if name != "nobody"},
    }

    nobody = operation.send(home.outside["nobody"], slots, in_query=in_query)
    assert nobody.status_code == 401
    for name, speaker in people.items():
        assert operation.send(speaker, slots, in_query=in_query).status_code in {401, 403}, name
    for name, speaker in home.applications.items():
        answer = operation.send(speaker, slots, in_query=in_query)
        assert _was_refused(answer), (name, answer.get_data(as_text=True))
    assert estate.digest() == before
    answer = operation.send(granted, slots, in_query=in_query)
    assert is_let_in(answer), answer.get_data(as_text=True)
    assert home.other.canary not in answer.get_data(as_text=True)
    assert home.other.digest() == elsewhere


def _provision(application: Speaker, estate: Estate) -> None:
    made = application.post(
        "/provisioning/people",
        json={
            "account": estate.account.id,
            "external_id": PROVISIONED,
            "kind": "client",
            "email": f"{estate.canary}.provisioned@example.com",
        },
    )
    assert made.status_code == 200, made.get_data(as_text=True)


def _was_refused(answer: TestResponse) -> bool:
    """Also in a batch, where each row is answered for itself."""
    if answer.status_code != 200:
        return answer.status_code in {403, 404}
    rows = answer.json.get("results", [])
    return bool(rows) and all(row["status"] in {403, 404} for row in rows)
