import pytest

from tenants.accounts.details import NotValid
from tenants.database import db
from tenants.members import external_ids
from tenants.members.external_ids import ExternalIdTaken
from tests.idp.race import all_at_once
from tests.tenants.acting import an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-15")]


def give(office, member, external_id="K-17", client_id="crm"):
    with db.transaction(tenant=office.id) as session:
        return external_ids.give(
            session, office.id, member, client_id=client_id, external_id=external_id
        )


def find(office, external_id="K-17", client_id="crm"):
    with db.reading(tenant=office.id) as session:
        return external_ids.find(session, office.id, client_id=client_id, external_id=external_id)


def of(office, member, client_id="crm"):
    with db.reading(tenant=office.id) as session:
        return external_ids.of_membership(session, office.id, member, client_id=client_id)


def test_a_program_finds_a_membership_by_its_own_name_for_it(office):
    member = office.someone().membership

    assert (give(office, member), give(office, member)) == (True, False)
    assert (find(office), of(office, member)) == (member, "K-17")


def test_a_program_has_one_name_for_a_membership(office):
    member = office.someone().membership
    give(office, member)

    assert give(office, member, "K-18")

    assert (find(office), find(office, "K-18")) == (None, member)


def test_a_name_is_one_memberships_alone(office):
    one, other = office.someone().membership, office.someone().membership
    give(office, one)
    give(office, other, "K-18")

    with pytest.raises(ExternalIdTaken):
        give(office, other)

    assert (of(office, one), of(office, other)) == ("K-17", "K-18")


@pytest.mark.security("15.2")
def test_of_fifty_memberships_one_gets_a_name(identity_app, office):
    waiting = iter([office.someone().membership for _ in range(50)])

    answers = all_at_once(identity_app, 50, lambda: give(office, next(waiting)))

    assert answers.count(True) == 1
    assert {type(one) for one in answers if one is not True} == {ExternalIdTaken}


@pytest.mark.security("13.6")
def test_programs_and_accounts_have_names_of_their_own(office):
    other = an_office("Inny")
    here, there = office.someone().membership, other.someone().membership

    give(office, here)
    give(office, here, "K-18", client_id="shop")
    give(other, there)

    assert (find(office), find(other)) == (here, there)
    assert find(office, client_id="shop") is None


@pytest.mark.security("15.1")
@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b"])
def test_what_is_no_name_is_refused(office, name):
    with pytest.raises(NotValid):
        give(office, office.someone().membership, name)


def test_what_a_program_asked_for_is_kept_beside_its_name(office):
    member, other = office.someone().membership, office.someone().membership
    give(office, member)
    give(office, other, "K-18")

    with db.transaction(tenant=office.id) as session:
        external_ids.note_asked(
            session, office.id, member, client_id="crm", asked={"details": {"phone": "601"}}
        )

    with db.reading(tenant=office.id) as session:
        noted = [
            external_ids.asked(session, office.id, one, client_id=client_id)
            for one, client_id in ((member, "crm"), (other, "crm"), (member, "portal"))
        ]
    assert noted == [{"details": {"phone": "601"}}, {}, {}]
