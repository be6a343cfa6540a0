"""Who is not at home in an account sees nothing of it and changes nothing, whatever they ask.

Every operation of the API, every place in a request that can name something, every kind of stranger.
The requests are made from the description: a new operation is tried without being named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from tests.conftest import MakeDatabase
from tests.isolation.estate import Estate, an_estate, nothing_of_the_kind
from tests.isolation.lasting import lasting
from tests.isolation.requests import OPERATIONS, Described
from tests.tenants import making
from tests.tenants.api.speaking import Speaker, World, a_world

pytestmark = [
    pytest.mark.security("13.7", "13.1", "13.6", "12.2", "20.3"),
    pytest.mark.product("TEN-5"),
]

IN_AN_ACCOUNT = [one for one in OPERATIONS if "account" in one.gaps and "/me/" not in one.path]
DEEPER = [one for one in IN_AN_ACCOUNT if len(one.gaps) > 1]
WITH_BODY_SLOTS = [one for one in IN_AN_ACCOUNT if one.body_slots]
WITH_QUERY_SLOTS = [one for one in IN_AN_ACCOUNT if one.query_slots]
BY_PERMISSION = [one for one in IN_AN_ACCOUNT if one.permission is not None]


@dataclass
class Cast:
    """Everybody who tries."""

    world: World
    other: Estate
    strangers: dict[str, Speaker]


@pytest.fixture(scope="module")
def cast(make_database: MakeDatabase) -> Iterator[Cast]:
    for app in lasting(make_database):
        world = a_world(app)
        yield a_cast(world, an_estate(world))


def a_cast(world: World, other: Estate) -> Cast:
    return Cast(
        world,
        other,
        {
            "admin of another account": other.admin,
            "user of another account": world.member(other.account),
            "somebody without an account": world.speaker(making.a_person()),
            "key of another account": other.key,
            "nobody": world.stranger(),
        },
    )


@pytest.fixture
def victim(cast: Cast) -> Estate:
    """An account of its own for each test, with one of everything."""
    return an_estate(cast.world)


def tells_nothing(answer: TestResponse, victim: Estate) -> None:
    """No canary and no identifier of the victim is in the answer."""
    said = answer.get_data(as_text=True) + str(answer.headers)
    found = [secret for secret in victim.secrets if secret in said]
    assert found == []


def same(one: TestResponse, other: TestResponse) -> None:
    """The same bytes, and headers but for what is anew in each answer."""
    own = {"X-Request-ID", "RateLimit", "Date"}
    assert one.data == other.data
    assert [each for each in one.headers if each[0] not in own] == [
        each for each in other.headers if each[0] not in own
    ]


def refusal(operation: Described, stranger: str) -> int:
    """What a stranger gets: nothing is there, unless they could not do it at home either."""
    if stranger == "nobody":
        return 401
    is_for_people = "key" not in operation.taken
    return 403 if is_for_people and stranger.startswith("key") else 404


def prepared_body(estate: Estate, operation: Described) -> object:
    """What has to be asked for before: a configuration is signed."""
    if operation.id != "put_configuration":
        return None
    return estate.admin.get(f"/accounts/{estate.account.id}/configuration").json


def by_name(operation: Described) -> str:
    return operation.id


@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_whoever_is_at_home_can_do_it_and_touches_nobody_else(cast, victim, operation):
    """Else the refusals below would prove nothing."""
    elsewhere = cast.other.digest()

    answer = operation.send(victim.admin, victim.slots, body=prepared_body(victim, operation))

    assert answer.status_code < 300, answer.get_data(as_text=True)
    tells_nothing(answer, cast.other)
    assert cast.other.digest() == elsewhere


@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_an_account_is_closed_to_strangers(cast, victim, operation):
    before = victim.digest()

    for name, stranger in cast.strangers.items():
        answer = operation.send(stranger, victim.slots)

        assert answer.status_code == refusal(operation, name), name
        tells_nothing(answer, victim)
        missing = {**victim.slots, "account": nothing_of_the_kind("account")}
        same(answer, operation.send(stranger, missing))
    assert victim.digest() == before


@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_who_is_at_home_in_both_acts_where_the_token_says(cast, victim, operation):
    person_id = making.a_person()
    for account in (victim.account, cast.other.account):
        making.a_member(account.id, person_id, roles=[account.admin_role])
    before = victim.digest()

    answer = operation.send(cast.world.speaker(person_id, cast.other.account.id), victim.slots)

    assert answer.status_code == 404
    tells_nothing(answer, victim)
    assert victim.digest() == before


@pytest.mark.parametrize("operation", DEEPER, ids=by_name)
def test_what_belongs_to_another_account_is_not_there(cast, victim, operation):
    """One's own account in the path, and somebody else's thing."""
    before = victim.digest()

    for gap in operation.gaps[1:]:
        own = cast.other.slots
        answer = operation.send(cast.other.admin, {**own, gap: victim.slots[gap]})

        assert answer.status_code == 404, answer.get_data(as_text=True)
        tells_nothing(answer, victim)
        same(answer, operation.send(cast.other.admin, {**own, gap: nothing_of_the_kind(gap)}))
    assert victim.digest() == before


@pytest.mark.parametrize("operation", WITH_BODY_SLOTS, ids=by_name)
def test_what_belongs_to_another_account_is_nothing_in_a_body(cast, victim, operation):
    mine, before = an_estate(cast.world), victim.digest()

    for slot in operation.body_slots:
        answer = operation.send(mine.admin, mine.slots, in_body={slot: victim.slots[slot]})

        assert answer.status_code < 500, answer.get_data(as_text=True)
        tells_nothing(answer, victim)
        made_up = {slot: nothing_of_the_kind(slot)}
        same(answer, operation.send(mine.admin, mine.slots, in_body=made_up))
    assert victim.digest() == before


@pytest.mark.parametrize("operation", WITH_QUERY_SLOTS, ids=by_name)
def test_what_belongs_to_another_account_is_nothing_in_a_query(cast, victim, operation):
    before = victim.digest()

    for slot in operation.query_slots:
        asked = {slot: victim.slots[slot]}
        answer = operation.send(cast.other.admin, cast.other.slots, in_query=asked)

        tells_nothing(answer, victim)
        made_up = {slot: nothing_of_the_kind(slot)}
        same(answer, operation.send(cast.other.admin, cast.other.slots, in_query=made_up))
    assert victim.digest() == before


@pytest.mark.security("12.1")
@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_a_member_without_a_role_gets_nothing(cast, victim, operation):
    stranger = cast.world.member(victim.account)
    before = victim.digest()

    answer = operation.send(stranger, victim.slots)

    assert answer.status_code == 403, answer.get_data(as_text=True)
    tells_nothing(answer, victim)
    assert victim.digest() == before


@pytest.mark.security("12.1")
@pytest.mark.parametrize("operation", IN_AN_ACCOUNT, ids=by_name)
def test_a_client_of_the_account_gets_nothing(cast, victim, operation):
    person_id = making.a_person()
    making.a_client(victim.account.id, person_id)
    before = victim.digest()

    answer = operation.send(cast.world.speaker(person_id), victim.slots)

    assert answer.status_code == 404
    tells_nothing(answer, victim)
    assert victim.digest() == before


def test_what_the_api_tells_of_oneself_tells_of_nobody_else(cast, victim):
    for stranger in list(cast.strangers.values())[:3]:
        for path in ("/me", "/me/contexts", "/me/permissions"):
            tells_nothing(stranger.get(path), victim)
        for what in ("accept", "leave"):
            answer = stranger.post(f"/me/contexts/{victim.account.id}/{what}")

            assert answer.status_code == 404
            nowhere = stranger.post(f"/me/contexts/{nothing_of_the_kind('account')}/{what}")
            same(answer, nowhere)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_whether_an_account_is_stopped_is_no_business_of_strangers(cast, victim, status):
    making.change_account(victim.account.id, status=status)

    for stranger in list(cast.strangers.values())[:3]:
        answer = stranger.post(f"/me/contexts/{victim.account.id}/accept")

        assert answer.status_code == 404
