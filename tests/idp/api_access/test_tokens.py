"""Access tokens at the API: good for the grant, the audience and the scopes that they were given for."""

import pytest

from tests.idp import provider
from tests.idp.provider import API
from tests.tenants import making
from tests.tenants.api.speaking import AUDIENCE, Speaker, World, a_world


@pytest.fixture
def world(identity_app) -> World:
    return a_world(identity_app)


@pytest.fixture
def account(world):
    return making.an_account("Zielony Dom")


def companies(account) -> str:
    return f"/accounts/{account.id}/companies"


@pytest.mark.product("TEN-16")
def test_a_token_speaks_for_its_person_in_its_context(world, account):
    admin = world.admin(account)

    told = admin.get("/me").json

    assert told["person_id"] == str(admin.person_id)
    assert (told["account"], told["company"]) == (account.id, None)


@pytest.mark.security("7.8")
def test_a_token_for_another_audience_is_none_for_us(world, account):
    person_id = making.a_person()
    making.a_member(account.id, person_id, roles=[account.admin_role])
    elsewhere = provider.an_app(audiences=(API,))
    token = provider.tokens_for(world.app.test_client(), elsewhere, person_id=person_id)

    answer = Speaker(world.app.test_client(), token["access_token"]).get(companies(account))

    assert answer.status_code == 401
    assert answer.json["code"] == "credentials_refused"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.security("7.8")
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "bearer a.b.c", "Bearer a.b", "Bearer " + "x" * 20_000],
)
def test_what_is_no_credential_of_ours_is_refused(world, account, header):
    nobody = world.stranger()

    answer = nobody.get(companies(account), headers={"Authorization": header})

    assert answer.status_code == 401


@pytest.mark.security("7.8")
def test_a_token_is_taken_from_the_header_alone(world, account):
    token = world.admin(account).token

    assert world.stranger().get(f"{companies(account)}?access_token={token}").status_code == 401


@pytest.mark.security("7.8")
def test_a_token_without_the_scope_reaches_nothing(world, account):
    admin = world.admin(account, scopes=("openid",))

    answer = admin.get(companies(account))

    assert answer.status_code == 403
    assert answer.json["code"] == "scope_missing"
    assert 'scope="accounts"' in answer.headers["WWW-Authenticate"]


@pytest.mark.security("12.4")
def test_a_scope_called_like_a_permission_is_good_for_that_one(identity_app, account, world):
    narrow = World(
        identity_app,
        provider.an_app(
            first_party=True,
            application="portal",
            audiences=(AUDIENCE,),
            scopes=("openid", "companies:read"),
        ),
    )
    admin = narrow.admin(account, scopes=("openid", "companies:read"))

    assert admin.get(companies(account)).status_code == 200
    assert admin.post(companies(account), json={"name": "A"}).status_code == 403
    assert admin.get(f"/accounts/{account.id}/users").status_code == 403


@pytest.mark.product("OP-3")
@pytest.mark.security("12.2", "13.1")
def test_a_token_for_one_company_acts_on_that_one_and_not_on_the_account(world, account):
    other = making.a_company(account.id, "Druga")
    admin = world.admin(account, company=account.main_company)
    main, second = (f"{companies(account)}/{each}" for each in (account.main_company, other))

    assert admin.get(main).status_code == 200
    assert admin.patch(main, json={"town": "Łódź"}, version=1).status_code == 200
    assert [each["id"] for each in admin.get(companies(account)).json["items"]] == [
        account.main_company
    ]
    assert admin.get(second).status_code == 403
    assert admin.post(companies(account), json={"name": "Trzecia"}).status_code == 403
    assert admin.get(f"/accounts/{account.id}/roles").status_code == 403


@pytest.mark.product("OP-5")
@pytest.mark.security("7.3", "12.6")
def test_a_block_or_a_lost_role_works_at_the_next_request(world, account):
    person_id = making.a_person()
    membership = making.a_member(account.id, person_id, roles=[account.admin_role])
    admin = world.speaker(person_id, account.id)
    assert admin.get(companies(account)).status_code == 200

    making.unassign(account.id, membership)
    assert admin.get(companies(account)).status_code == 403
    making.change_member(account.id, membership, state="blocked")
    assert admin.get(companies(account)).status_code == 401


@pytest.mark.product("OP-5")
@pytest.mark.security("5.5", "7.3")
@pytest.mark.parametrize("end", ["removed", "blocked", "left"])
def test_what_ended_with_a_membership_does_not_come_back_with_it(world, account, end):
    person_id = making.a_person("anna@example.com")
    membership = making.a_member(account.id, person_id)
    before, home = world.speaker(person_id, account.id), f"/accounts/{account.id}"
    ours = world.admin(account)
    people = f"{home}/users"
    assert before.get(home).status_code == 200

    match end:
        case "removed":
            gone = ours.delete(f"{people}/{membership}", version=1)
        case "blocked":
            gone = ours.post(f"{people}/{membership}/block", version=1)
        case _:
            gone = before.post(f"/me/contexts/{account.id}/leave")
    assert gone.status_code < 300, gone.get_data(as_text=True)
    assert before.get(home).status_code == 401
    if end == "blocked":
        assert ours.post(f"{people}/{membership}/unblock", version=2).status_code == 200
    else:
        assert ours.post(people, json={"email": "anna@example.com"}).status_code == 201
        accepted = world.speaker(person_id).post(f"/me/contexts/{account.id}/accept")
        assert accepted.status_code == 204

    assert before.get(home).status_code == 401
    assert world.speaker(person_id, account.id).get(home).status_code == 200


@pytest.mark.product("OP-5")
@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_nobody_gets_into_a_stopped_account(world, account, status):
    admin = world.admin(account)
    making.change_account(account.id, status=status)

    assert admin.get(companies(account)).status_code == 401


@pytest.mark.security("13.1")
def test_without_a_context_one_reaches_oneself_and_no_account(world, account):
    person_id = making.a_person()
    making.a_member(account.id, person_id, roles=[account.admin_role])
    person = world.speaker(person_id)

    assert person.get(companies(account)).status_code == 404
    assert [each["account"] for each in person.get("/me/contexts").json["items"]] == [account.id]


@pytest.mark.security("7.10")
def test_an_application_by_itself_is_nobody_in_an_account(world, account):
    answer = provider.trade(
        world.app.test_client(),
        world.program,
        "client_credentials",
        resource=AUDIENCE,
        scope="provisioning",
    )
    program = Speaker(world.app.test_client(), answer.json["access_token"])

    for path in (companies(account), "/me", "/me/contexts"):
        refused = program.get(path)
        assert (refused.status_code, refused.json["code"]) == (403, "credentials_unsuitable")
