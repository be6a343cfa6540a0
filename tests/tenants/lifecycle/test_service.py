import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.pages import PageRequest
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended, NotANip, NotValid
from tenants.api_keys.models import ApiKey
from tenants.audit import account_chain, ledger
from tenants.companies import service as companies
from tenants.database import db
from tenants.facts.models import Fact
from tenants.invitations.models import Invitation
from tenants.lifecycle import service as lifecycle
from tenants.lifecycle.service import NoSuchMember
from tenants.members import service as members
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.roles.models import Role
from tenants.roles.power import OPERATOR, Actor, MayNotGrant, Power, Right
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")

NIP = "5260001246"
BY_OPERATOR = Actor("operator", OPERATOR)


def a_person(now, email="anna@example.com"):
    with db.transaction() as session:
        return people.create(session, email=email, given_name="Anna", family_name="Żak", now=now)


def an_account(now, creator=None, **details):
    return lifecycle.create(
        **{"name": "Dom i Ogród", "nip": NIP, **details},
        creator=creator.id if creator else None,
        actor=f"person:{creator.id}" if creator else "operator",
        now=now,
    )


def an_admin(account, person) -> Actor:
    return Actor(f"person:{person.id}", Power(account=account.id, is_admin=True))


def a_member(account, person, now, *, state="active", kind="member"):
    with db.transaction(tenant=account.id) as session:
        session.add(
            Membership(
                tenant_id=account.id,
                person_id=person.id,
                kind=kind,
                state=state,
                email=person.email,
                email_key=person.email_key,
                sort_name="",
                accepted_at=now if state == "active" else None,
                created_at=now,
                updated_at=now,
            )
        )


def admins_of(account):
    with db.reading(tenant=account.id) as session:
        rows = session.execute(
            select(Membership.person_id, Assignment.expires_at)
            .join(
                Assignment,
                (Assignment.tenant_id == Membership.tenant_id)
                & (Assignment.membership_id == Membership.id),
            )
            .join(Role, (Role.tenant_id == Assignment.tenant_id) & (Role.id == Assignment.role_id))
            .where(
                Membership.tenant_id == account.id,
                Role.is_admin.is_(True),
                Assignment.company_id.is_(None),
            )
        ).all()
    return {row.person_id: row.expires_at for row in rows}


def history(account) -> list[str]:
    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(account.id), limit=200)
    return [row.event for row in rows]


def facts(account) -> list[str]:
    with db.reading() as session:
        return list(
            session.scalars(
                select(Fact.kind).where(Fact.account == account.id).order_by(Fact.number)
            )
        )


def act(account, what, **words):
    with db.transaction(tenant=account.id) as session:
        return what(session, account.id, **words)


@pytest.mark.product("TEN-1")
def test_a_person_creates_an_account_and_is_its_admin(now):
    person = a_person(now)

    made = an_account(now, person)

    assert admins_of(made) == {person.id: None}
    with db.reading(tenant=made.id) as session:
        member = session.scalars(select(Membership).where(Membership.tenant_id == made.id)).one()
    assert (member.kind, member.state, member.email) == ("member", "active", "anna@example.com")
    assert member.accepted_at == now


@pytest.mark.product("TEN-1")
def test_a_person_has_any_number_of_accounts_with_one_nip_too(now):
    person = a_person(now)

    made = [an_account(now, person) for _ in range(3)]

    assert len({account.id for account in made}) == 3
    assert {account.nip for account in made} == {NIP}
    assert all(admins_of(account) == {person.id: None} for account in made)


@pytest.mark.product("TEN-2")
def test_an_account_id_is_twelve_hex_digits(now):
    made = an_account(now)

    assert len(made.id) == 12
    assert set(made.id) <= set("0123456789abcdef")


@pytest.mark.product("TEN-2")
def test_an_account_id_never_returns_even_when_its_account_is_closed(now, monkeypatch):
    closed = an_account(now)
    act(closed, lifecycle.close, actor="operator", now=now)
    ids = iter([closed.id, closed.id, "0123456789ab"])
    monkeypatch.setattr(accounts, "new_id", lambda: next(ids))

    assert an_account(now).id == "0123456789ab"


def test_where_every_random_id_repeats_no_account_is_made(now, monkeypatch):
    first = an_account(now)
    monkeypatch.setattr(accounts, "new_id", lambda: first.id)

    with pytest.raises(RuntimeError):
        an_account(now)


@pytest.mark.product("TEN-2")
def test_an_account_says_how_many_companies_and_users_it_has(now):
    account = an_account(now, a_person(now))
    a_member(account, a_person(now, "jan@example.com"), now, state="pending")
    a_member(account, a_person(now, "ewa@example.com"), now, kind="client")
    gone = act(account, companies.create, values={"name": "Stara"}, actor="operator", now=now)
    act(account, companies.archive, company=gone.id, version=None, actor="operator", now=now)

    with db.reading(tenant=account.id) as session:
        found = lifecycle.overview(session, account.id)

    assert found is not None
    assert (found.account, found.companies, found.users) == (account, 1, 2)


def test_of_an_unknown_account_there_is_no_overview(now):
    with db.reading(tenant="0123456789ab") as session:
        assert lifecycle.overview(session, "0123456789ab") is None


@pytest.mark.product("TEN-3")
def test_the_main_company_has_the_accounts_name_and_nip(now):
    account = an_account(now, town="Łódź")

    with db.reading(tenant=account.id) as session:
        (main,) = companies.listed(session, account.id, asked=PageRequest()).items

    assert (main.name, main.nip, main.is_main) == (account.name, account.nip, True)
    assert main.town == "Łódź"


@pytest.mark.product("TEN-1")
@pytest.mark.parametrize(
    ("details", "refusal"), [({"nip": "5260001247"}, NotANip), ({"name": "  "}, NotValid)]
)
def test_an_account_that_is_described_wrongly_is_not_made(details, refusal, now):
    person = a_person(now)

    with pytest.raises(refusal):
        an_account(now, person, **details)

    with db.transaction(everywhere=True) as session:
        assert session.scalar(select(func.count()).select_from(Membership)) == 0


def test_nobody_who_is_not_there_creates_an_account(now):
    with pytest.raises(NotFound):
        lifecycle.create(name="Dom", creator=new_id(), actor="person:7", now=now)


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_what_happens_in_the_life_of_an_account_is_in_its_history_and_told_to_others(now):
    account = an_account(now, a_person(now))
    act(account, lifecycle.suspend, reason="unpaid", actor="operator", now=now)
    act(account, lifecycle.resume, actor="operator", now=now)
    act(account, lifecycle.close, actor="operator", now=now)

    assert history(account) == [
        "account:closed",
        "account:resumed",
        "account:suspended",
        "member:added",
        "company:created",
        "account:created",
    ]
    assert facts(account) == [
        "account.created",
        "company.created",
        "member.added",
        "account.suspended",
        "account.resumed",
        "account.closed",
    ]


def test_nothing_changes_in_a_suspended_account(now):
    account = an_account(now)
    assert act(account, lifecycle.suspend, reason=None, actor="operator", now=now)
    assert not act(account, lifecycle.suspend, reason=None, actor="operator", now=now)

    with pytest.raises(AccountSuspended):
        act(account, companies.create, values={"name": "Nowa"}, actor="operator", now=now)

    assert act(account, lifecycle.resume, actor="operator", now=now)
    assert not act(account, lifecycle.resume, actor="operator", now=now)
    act(account, companies.create, values={"name": "Nowa"}, actor="operator", now=now)


def test_an_account_is_handed_over_to_an_active_member(now):
    old, new = a_person(now), a_person(now, "jan@example.com")
    account = an_account(now, old)
    a_member(account, new, now)

    act(account, lifecycle.hand_over, to=new.id, actor=an_admin(account, old), now=now)

    assert admins_of(account) == {old.id: None, new.id: None}


def test_who_hands_over_may_give_the_role_up_in_the_same_breath(now):
    old, new = a_person(now), a_person(now, "jan@example.com")
    account = an_account(now, old)
    a_member(account, new, now)

    act(account, lifecycle.hand_over, to=new.id, instead_of=old.id, actor=BY_OPERATOR, now=now)

    assert admins_of(account) == {new.id: None}
    assert facts(account)[-2:] == ["member.roles_changed", "member.roles_changed"]


def test_handing_over_to_oneself_takes_nothing_away(now):
    person = a_person(now)
    account = an_account(now, person)

    act(
        account, lifecycle.hand_over, to=person.id, instead_of=person.id, actor=BY_OPERATOR, now=now
    )

    assert admins_of(account) == {person.id: None}


def test_an_admin_until_some_day_is_one_for_good_after_the_hand_over(now):
    person = a_person(now)
    account = an_account(now, person)
    with db.transaction(tenant=account.id) as session:
        for row in session.scalars(select(Assignment).where(Assignment.tenant_id == account.id)):
            row.expires_at = now + timedelta(days=1)

    act(account, lifecycle.hand_over, to=person.id, actor=BY_OPERATOR, now=now)

    assert admins_of(account) == {person.id: None}


@pytest.mark.security("12.4")
def test_an_account_is_handed_over_by_an_admin_of_it_alone(now):
    old, new = a_person(now), a_person(now, "jan@example.com")
    account, other = an_account(now, old), an_account(now)
    a_member(account, new, now)
    rights = frozenset({Right("accounts", "users:manage")})
    manager = Actor(f"person:{new.id}", Power(account=account.id, on_account=rights))

    with pytest.raises(MayNotGrant):
        act(account, lifecycle.hand_over, to=new.id, actor=manager, now=now)
    with pytest.raises(NotFound):
        act(account, lifecycle.hand_over, to=new.id, actor=an_admin(other, old), now=now)

    assert admins_of(account) == {old.id: None}


@pytest.mark.parametrize(
    ("kind", "state"), [("member", "pending"), ("member", "blocked"), ("client", "active")]
)
def test_an_account_is_handed_over_to_nobody_but_an_active_member(kind, state, now):
    account = an_account(now, a_person(now))
    other = a_person(now, "jan@example.com")
    a_member(account, other, now, kind=kind, state=state)

    with pytest.raises(NoSuchMember):
        act(account, lifecycle.hand_over, to=other.id, actor=BY_OPERATOR, now=now)


def test_an_account_that_waited_for_an_admin_waits_no_longer(now):
    person = a_person(now)
    account = an_account(now, person)
    assert act(account, accounts.flag, actor="operator", now=now)
    assert not act(account, accounts.flag, actor="operator", now=now)

    handed = act(account, lifecycle.hand_over, to=person.id, actor=BY_OPERATOR, now=now)

    assert handed.flagged_at is None
    assert history(account)[:2] == ["account:handed-over", "account:flagged"]


def test_closing_an_account_ends_its_keys_and_invitations(now):
    person = a_person(now)
    account = an_account(now, person)
    with db.transaction(tenant=account.id) as session:
        common = {"tenant_id": account.id, "created_at": now, "updated_at": now}
        session.add(ApiKey(name="Kasa", owner_id=person.id, permissions=[], **common))
        session.add(
            Invitation(
                email="ewa@example.com",
                email_key="ewa@example.com",
                token_hash=b"t" * 32,
                invited_by="operator",
                sent_at=now,
                expires_at=now,
                **common,
            )
        )

    closed = act(account, lifecycle.close, actor=f"person:{person.id}", now=now)

    assert closed.closed_at == now
    with db.reading(tenant=account.id) as session:
        for revoked_at, tenant_id in (
            (ApiKey.revoked_at, ApiKey.tenant_id),
            (Invitation.revoked_at, Invitation.tenant_id),
        ):
            assert session.scalars(select(revoked_at).where(tenant_id == account.id)).one() == now


def test_a_closed_account_is_closed_for_good(now):
    account = an_account(now)
    act(account, lifecycle.close, actor="operator", now=now)

    for what in (lifecycle.resume, lifecycle.close):
        with pytest.raises(NotFound):
            act(account, what, actor="operator", now=now)


@pytest.mark.security("15.2")
def test_of_fifty_who_close_an_account_at_once_one_does(identity_app, now):
    account = an_account(now)

    answers = all_at_once(
        identity_app, 50, lambda: act(account, lifecycle.close, actor="operator", now=now)
    )

    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(isinstance(a, NotFound) for a in answers if isinstance(a, Exception))
    assert history(account).count("account:closed") == 1
    assert facts(account).count("account.closed") == 1


@pytest.mark.security("15.2", "12.5")
def test_of_fifty_who_hand_over_in_a_circle_there_is_always_an_admin(identity_app, now):
    first, second = a_person(now), a_person(now, "jan@example.com")
    account = an_account(now, first)
    a_member(account, second, now)
    turns = [(first, second), (second, first)] * 25
    mine = threading.local()

    def hand_over():
        if not hasattr(mine, "turn"):
            mine.turn = turns.pop()
        old, new = mine.turn
        act(account, lifecycle.hand_over, to=new.id, instead_of=old.id, actor=BY_OPERATOR, now=now)

    answers = all_at_once(identity_app, 50, hand_over)

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert len(admins_of(account)) == 1
    assert history(account).count("account:handed-over") == 50


@pytest.mark.security("15.2")
def test_of_fifty_who_hand_over_to_one_member_the_role_is_given_once(identity_app, now):
    account = an_account(now, a_person(now))
    new = a_person(now, "jan@example.com")
    a_member(account, new, now)

    answers = all_at_once(
        identity_app,
        50,
        lambda: act(account, lifecycle.hand_over, to=new.id, actor=BY_OPERATOR, now=now),
    )

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert len(admins_of(account)) == 2


@pytest.mark.product("TEN-1")
def test_somebody_with_an_id_is_let_in_as_admin_when_they_accept(now):
    account, person = an_account(now), a_person(now)
    act(account, accounts.flag, actor="operator", now=now)

    added = act(account, lifecycle.add_admin, email=person.email, actor=BY_OPERATOR, now=now)
    assert not added.is_new_person
    with db.reading(tenant=account.id) as session:
        assert accounts.find(session, account.id).flagged_at == now

    act(account, members.accept, person_id=person.id, now=now)
    with db.reading(tenant=account.id) as session:
        assert accounts.find(session, account.id).flagged_at is None
    assert admins_of(account) == {person.id: None}


def test_nobody_is_let_into_an_account_that_is_not_there(now):
    with db.transaction(tenant="0123456789ab") as session, pytest.raises(NotFound):
        lifecycle.add_admin(
            session, "0123456789ab", email="jan@example.com", actor=BY_OPERATOR, now=now
        )
