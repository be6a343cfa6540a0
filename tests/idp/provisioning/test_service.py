"""What can't be seen from outside: many at once, and the same statements for everybody."""

from uuid import UUID

import pytest
from sqlalchemy import text

from idp.access.service import How
from idp.provisioning import service
from idp.provisioning.delivery import KIND
from idp.provisioning.service import Asked
from tenants.database import db
from tenants.members import service as members
from tenants.members.service import MemberKind
from tests.idp.provisioning.conftest import ANNA
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person
from tests.statements import asked_of
from tests.tenants import acting, making

pytestmark = pytest.mark.product("TEN-15")


@pytest.fixture
def provision(program, now):
    def do(**changes):
        values = {
            "account": program.account,
            "external_id": ANNA["external_id"],
            "kind": MemberKind.CLIENT,
            "email": ANNA["email"],
            "how": How.TEMPORARY_PASSWORD,
        } | changes
        return service.provision(Asked(**values), client_id=program.app.id, now=now)

    return do


def waiting() -> int:
    with db.reading() as session:
        return int(
            session.scalar(
                text("SELECT count(*) FROM outbox_messages WHERE kind = :kind"), {"kind": KIND}
            )
            or 0
        )


@pytest.mark.security("15.3")
def test_fifty_equal_requests_make_one_membership_and_one_mail(identity_app, program, provision):
    answers = all_at_once(identity_app, 50, provision)

    assert len({one.member.id for one in answers}) == 1
    assert [one.is_new for one in answers].count(True) == 1
    assert waiting() == 1
    assert acting.trail(program.account) == ["client-account:added", "provisioning:named"]


@pytest.mark.security("15.3")
def test_of_fifty_who_want_one_external_id_for_others_one_gets_it(identity_app, program, provision):
    number = iter(range(50))

    answers = all_at_once(identity_app, 50, lambda: provision(email=f"c{next(number)}@example.com"))

    refused = [one for one in answers if isinstance(one, Exception)]
    assert {type(one).__name__ for one in refused} == {"ExternalIdTaken"}
    assert len(answers) - len(refused) == 1
    assert waiting() == 1


@pytest.mark.security("2.4")
@pytest.mark.parametrize("kind", MemberKind)
@pytest.mark.parametrize("how", [*How, None])
def test_the_same_statements_for_an_address_with_an_id_and_without(provision, kind, how):
    a_person("known@example.com")
    provision(external_id="0", email="first@example.com", kind=kind, how=how)
    counted = []
    for who in ("known", "fresh"):
        with asked_of(db.engine) as asked:
            provision(external_id=who, email=f"{who}@example.com", kind=kind, how=how)
        counted.append((asked.statements, asked.commits))

    assert counted[0] == counted[1]


@pytest.mark.security("5.1", "18.1")
def test_no_password_is_hashed_while_the_application_waits(provision, monkeypatch):
    monkeypatch.setattr("idp.credentials.hashing.hashing", None)
    monkeypatch.setattr("idp.access.service.hashing", None)

    assert provision().is_new


def test_what_was_not_said_is_noted_as_that(program, provision, now):
    provision(kind=MemberKind.MEMBER, details={"phone": "+48 601 000 000"})
    found = service.find(program.account, ANNA["external_id"], client_id=program.app.id, now=now)
    making.change_member(program.account, found.member.id, phone=None, given_name="Anna")

    found = service.find(program.account, ANNA["external_id"], client_id=program.app.id, now=now)

    assert [(one.field, one.asked, one.found) for one in found.drift] == [
        ("phone", "+48 601 000 000", None)
    ]


def _block(office, membership, actor, now):
    with db.transaction(tenant=office.id) as session:
        members.block(session, office.id, membership, kind=MemberKind.CLIENT, actor=actor, now=now)


@pytest.mark.security("12.4")
def test_whom_an_admin_blocked_no_application_lets_in_again(program, office, now):
    membership = UUID(program.provision().json["membership_id"])
    _block(office, membership, office.admin().actor, now)

    for what in ("unblock", "remove"):
        refused = program.do(what)
        assert (refused.status_code, refused.json["code"]) == (409, "blocked_by_another"), what

    again = program.provision(repair=True)
    assert again.json["membership_id"] == str(membership)
    kept = {"field": "state", "asked": "active", "found": "blocked", "repaired": False}
    for answer in (again, program.provision(dry_run=True), program.read()):
        assert answer.json["state"] == "blocked"
        assert [one.items() >= kept.items() for one in answer.json["drift"]] == [True]
    assert acting.membership(office.id, membership).state == "blocked"


def test_what_an_application_blocked_itself_is_no_drift(program):
    program.provision()
    program.do("block")

    assert program.read().json["drift"] == []
    assert program.do("unblock").json["state"] == "active"


@pytest.mark.security("12.4")
def test_which_roles_an_account_has_is_told_by_no_refusal(program, office):
    making.a_role(office.id, "Kadry", rights=acting.USERS)
    other = making.an_account("Biuro Żak", applications=["crm"])
    foreign = making.a_role(other.id, "Obca", rights=[acting.SEE])
    said = set()

    for role in ("Kadry", "admin", str(office.selling), "Nie ma takiej", str(foreign), "0" * 36):
        for company in (None, office.second):
            for dry_run in (False, True):
                answer = program.provision(
                    kind="user",
                    assignments=[{"role": role, "company": company}],
                    dry_run=dry_run,
                )
                said.add((answer.status_code, str(answer.json)))

    assert len(said) == 1
    assert "may_not_grant" in str(said)
