"""A crowd is what the use cases would have left."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from tenants.accounts.models import Account
from tenants.companies.models import Company
from tenants.crowd.service import Size, email_of, grow, ids_of
from tenants.database import db
from tenants.members.models import Assignment, Membership
from tenants.people.address import canonical_email
from tenants.roles.models import Role

pytestmark = pytest.mark.usefixtures("identity_app")
SIZE = Size(people=100, accounts=4, companies=10)


@pytest.fixture
def told(now) -> list[int]:
    told: list[int] = []
    grow(SIZE, now=now, tell=told.append)
    return told


def test_it_is_as_large_as_was_asked_for_and_says_so_meanwhile(told):
    with db.reading(everywhere=True) as session:
        counts = [session.scalar(select(func.count()).select_from(m)) for m in (Account, Company)]

    assert counts == [4, 10]
    assert len(ids_of(range(100))) == 100
    assert sum(told) == SIZE.rows


def test_each_account_has_one_main_company_and_one_admin(told):
    with db.reading(everywhere=True) as session:
        mains = Counter(session.scalars(select(Company.tenant_id).where(Company.is_main)))
        admins = Counter(
            session.scalars(
                select(Assignment.tenant_id)
                .join(
                    Role, (Role.tenant_id == Assignment.tenant_id) & (Role.id == Assignment.role_id)
                )
                .where(Role.is_admin, Assignment.company_id.is_(None))
            )
        )

    assert set(mains.values()) == {1}
    assert len(admins) == 4
    assert min(admins.values()) >= 1


def test_some_work_in_two_accounts_and_some_are_clients(told):
    with db.reading(everywhere=True) as session:
        rows = session.execute(select(Membership.person_id, Membership.kind)).all()

    assert Counter(kind for _, kind in rows) == {"member": 110, "client": 20}
    assert len({person for person, _ in rows}) == 100


def test_every_member_has_one_role_and_no_client_has_any(told):
    with db.reading(everywhere=True) as session:
        kinds = Counter(
            session.scalars(
                select(Membership.kind).join(
                    Assignment,
                    (Assignment.tenant_id == Membership.tenant_id)
                    & (Assignment.membership_id == Membership.id),
                )
            )
        )

    assert kinds == {"member": 110}


def test_who_is_not_there_is_not_found(told):
    assert ids_of(range(100, 120)) == {}


def test_addresses_are_written_as_they_are_compared():
    assert canonical_email(email_of(100)).key == email_of(100) == "osoba-100@crowd.example"
