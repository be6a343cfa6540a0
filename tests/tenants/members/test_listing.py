from datetime import timedelta

import pytest

from kernel.errors import NotFound
from kernel.pages import CursorUnusable, PageRequest
from tenants.database import db
from tenants.members import listing, service
from tenants.members.service import MemberKind, State
from tenants.people import service as people
from tenants.roles.power import NotPermitted
from tests.tenants import making
from tests.tenants.acting import BOSS, CLIENTS, USERS, an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]

CLIENT = MemberKind.CLIENT


@pytest.fixture
def page(office, now):
    """A page of the office's list, for the operator until told otherwise."""

    def read(actor=BOSS, limit=50, cursor=None, where=office, **filters):
        with db.reading(tenant=where.id) as session:
            return listing.listed(
                session,
                where.id,
                actor=actor,
                asked=PageRequest(limit, cursor),
                now=now,
                **filters,
            )

    return read


@pytest.fixture
def emails(page):
    """The addresses that a list shows, in its order."""
    return lambda *args, **filters: [one.email for one in page(*args, **filters).items]


def add(office, now, email, given_name=None, family_name=None, **more):
    with db.transaction(tenant=office.id) as session:
        return service.add(
            session,
            office.id,
            email=email,
            given_name=given_name,
            family_name=family_name,
            actor=BOSS,
            now=now,
            **more,
        ).membership_id


@pytest.fixture
def three(office, now):
    add(office, now, "zofia@example.com", "Zofia", "Adamska")
    add(office, now, "adam@example.com", "Adam", "Żak", phone="+48 600 100 200")
    add(office, now, "m.nowak@example.com", "Maria", "Nowak")


@pytest.mark.usefixtures("three")
def test_users_are_listed_by_name(page, emails):
    assert emails() == ["zofia@example.com", "m.nowak@example.com", "adam@example.com"]
    assert page().total == 3


@pytest.mark.usefixtures("three")
def test_users_are_ordered_by_address_and_backwards(emails):
    by_address = ["adam@example.com", "m.nowak@example.com", "zofia@example.com"]

    assert emails(order="email") == by_address
    assert emails(order="email", descending=True) == by_address[::-1]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("żak", ["adam@example.com"]),
        ("ADAM ŻAK", ["adam@example.com"]),
        ("nowak maria", ["m.nowak@example.com"]),
        ("adam", ["zofia@example.com", "adam@example.com"]),
        ("600 100", ["adam@example.com"]),
        ("@example.com", ["zofia@example.com", "m.nowak@example.com", "adam@example.com"]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
def test_users_are_searched_by_words(page, emails, text, found):
    assert emails(text=text) == found
    assert page(text=text).total == len(found)


@pytest.mark.usefixtures("three")
def test_a_list_is_read_page_by_page(page):
    first = page(limit=2)
    second = page(limit=2, cursor=first.next)

    assert [one.name for one in first.items] == ["Zofia Adamska", "Maria Nowak"]
    assert [one.name for one in second.items] == ["Adam Żak"]
    assert (first.total, second.next) == (3, None)


@pytest.mark.usefixtures("three")
@pytest.mark.security("13.6")
def test_a_cursor_opens_no_other_list(page, office):
    cursor = page(limit=1).next
    seller = office.seller(office.main).actor

    for other in (
        {"kind": CLIENT},
        {"text": "a"},
        {"order": "email"},
        {"state": State.ACTIVE},
        {"actor": seller},
        {"where": an_office("Inny")},
    ):
        with pytest.raises(CursorUnusable):
            page(limit=1, cursor=cursor, **other)


def test_clients_are_neither_listed_nor_counted_as_users(office, page, emails, now):
    add(office, now, "client@example.com", kind=CLIENT)
    add(office, now, "member@example.com")

    assert (emails(), emails(kind=CLIENT)) == (["member@example.com"], ["client@example.com"])
    with db.reading(tenant=office.id) as session:
        counts = [listing.count(session, office.id, kind=kind) for kind in MemberKind]
    assert counts == [1, 1]


@pytest.mark.security("13.6")
def test_a_list_shows_the_membership_and_nothing_of_the_id(office, page, now):
    """Whether there was an ID, and what its owner calls themselves: nobody reads it here."""
    with db.transaction() as session:
        people.create(
            session, email="known@example.com", given_name="Prywatna", now=making.LONG_AGO
        )
    for email in ("known@example.com", "unknown@example.com"):
        add(office, now, email)

    known, unknown = page().items

    assert (known.email, unknown.email) == ("known@example.com", "unknown@example.com")
    for one in (known, unknown):
        assert (one.state, one.person_id, one.name, one.version) == (State.PENDING, None, "", 1)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (State.PENDING, ["added", "pending"]),
        (State.ACTIVE, ["active"]),
        (State.BLOCKED, ["blocked"]),
    ],
)
def test_users_are_filtered_by_the_state_that_is_shown(office, page, state, found):
    kinds: dict[str, dict[str, object]] = {
        "active": {},
        "added": {"accepted_at": None},
        "pending": {"state": "pending", "accepted_at": None},
        "blocked": {"state": "blocked", "accepted_at": None},
    }
    for name, changes in kinds.items():
        office.someone(given_name=name, sort_name=name, **changes)

    shown = page(state=state)

    assert [one.given_name for one in shown.items] == found
    assert {one.state for one in shown.items} == {state}


def test_a_client_is_active_before_they_came(office, page, now):
    add(office, now, "client@example.com", kind=CLIENT)

    assert [one.state for one in page(kind=CLIENT).items] == [State.ACTIVE]
    assert page(kind=CLIENT, state=State.ACTIVE).total == 1
    assert page(kind=CLIENT, state=State.PENDING).total == 0


def test_users_are_filtered_by_role_and_by_company(office, page):
    watching, editing = office.watching, office.editing
    one = office.someone((watching, office.main), (editing, office.second)).membership
    other = office.someone(editing).membership
    making.assign(office.id, other, watching, office.main, expires_at=making.LONG_AGO)

    def found(**filters):
        return {member.id for member in page(**filters).items}

    assert found(role=watching) == {one}
    assert found(role=editing) == {one, other}
    assert found(company=office.second) == {one}
    assert found(role=watching, company=office.main) == {one}
    assert found(role=watching, company=office.second) == set()


def test_a_user_is_shown_with_roles_and_the_number_of_companies(office, page):
    archived = making.a_company(office.id, archived_at=making.LONG_AGO)
    on_two = office.someone(
        *((office.watching, company) for company in (office.main, office.second, archived)),
        (office.editing, office.main),
    )
    everywhere, nowhere = office.someone(office.editing), office.someone()

    shown = {one.id: one for one in page().items}

    assert shown[on_two.membership].companies == 2
    assert len(shown[on_two.membership].assignments) == 4
    assert shown[everywhere.membership].companies == 2
    assert [role.role_name for role in shown[everywhere.membership].assignments] == ["Edycja"]
    assert shown[nowhere.membership].companies == 0


def test_how_many_hold_a_role_is_counted_once_each(office, now):
    office.someone((office.watching, office.main), (office.watching, office.second))
    office.someone(office.watching)
    making.assign(office.id, office.someone().membership, office.editing, expires_at=now)

    with db.reading(tenant=office.id) as session:
        assert listing.holders(session, office.id, now=now) == {office.watching: 2}


@pytest.mark.security("12.2", "13.6")
def test_power_over_a_company_shows_its_users_alone(office, page, now):
    boss = office.admin_of(office.main)
    within = office.someone((office.watching, office.main)).membership
    both = office.someone(
        (office.watching, office.main), (office.editing, office.second)
    ).membership
    out_of_sight = [
        office.someone().membership,
        office.someone(office.editing).membership,
        office.someone((office.watching, office.second)).membership,
        office.someone(state="pending").membership,
    ]
    making.assign(office.id, out_of_sight[0], office.watching, office.main, expires_at=now)

    shown = {one.id: one for one in page(boss.actor).items}

    assert shown.keys() == {boss.membership, within, both}
    assert page(boss.actor).total == 3
    assert [one.company for one in shown[both].assignments] == [office.main]
    assert (shown[both].has_more, shown[within].has_more) == (True, False)
    assert (shown[both].companies, shown[within].companies) == (1, 1)
    for hidden in out_of_sight:
        with pytest.raises(NotFound):
            find(office, hidden, boss.actor, now)


@pytest.mark.security("12.2", "13.6")
@pytest.mark.parametrize("narrow", ["role", "company"])
def test_no_filter_tells_of_what_is_out_of_sight(office, page, narrow):
    boss = office.admin_of(office.main)
    office.someone((office.watching, office.main), (office.editing, office.second))
    filters = {"role": {"role": office.editing}, "company": {"company": office.second}}

    assert page(boss.actor, **filters[narrow]).items == ()


def find(office, membership_id, actor, now, **more):
    with db.reading(tenant=office.id) as session:
        return listing.find(session, office.id, membership_id, actor=actor, now=now, **more)


def test_one_user_is_found(office, now):
    member = office.someone(office.watching, given_name="Anna", family_name="Nowak")

    found = find(office, member.membership, BOSS, now)

    assert (found.id, found.person_id, found.name) == (
        member.membership,
        member.person,
        "Anna Nowak",
    )
    assert (found.state, found.companies, found.has_more) == (State.ACTIVE, 2, False)


@pytest.mark.security("13.6")
def test_a_user_of_another_account_a_client_and_nobody_are_equally_unknown(office, now):
    other = an_office("Inny")

    for missing in (other.someone().membership, making.a_client(office.id), other.main):
        with pytest.raises(NotFound):
            find(office, missing if missing != other.main else other.selling, BOSS, now)
    with pytest.raises(NotFound):
        find(office, office.someone().membership, BOSS, now, kind=CLIENT)


@pytest.mark.security("12.1")
def test_who_sees_users_does_not_see_clients_and_the_other_way_round(office, page):
    role = making.a_role
    users = office.someone(role(office.id, "U", rights=USERS[:1])).actor
    clients = office.someone(role(office.id, "K", rights=CLIENTS[:1])).actor
    on_company = office.someone((role(office.id, "F", rights=CLIENTS), office.main)).actor

    assert page(users).total == 3
    assert page(clients, kind=CLIENT).total == 0
    for actor, kind in ((users, CLIENT), (clients, MemberKind.MEMBER), (on_company, CLIENT)):
        with pytest.raises(NotPermitted):
            page(actor, kind=kind)


@pytest.mark.security("12.1", "13.6")
def test_who_has_no_power_here_finds_no_list(office, page):
    other = an_office("Inny")
    pending = office.someone(office.account.admin_role, state="pending")

    for actor in (other.admin().actor, pending.actor):
        with pytest.raises(NotFound):
            page(actor)
    with pytest.raises(NotPermitted):
        page(office.someone().actor)


def test_roles_that_ended_are_not_shown(office, page, now):
    member = office.someone()
    making.assign(office.id, member.membership, office.watching, expires_at=now)
    making.assign(
        office.id, member.membership, office.editing, expires_at=now + timedelta(seconds=1)
    )

    assert [one.role_id for one in page().items[0].assignments] == [office.editing]


@pytest.mark.product("TEN-15")
def test_a_membership_is_found_by_its_address_and_kind(office, now):
    user = add(office, now, "anna@example.com")
    client = add(office, now, "anna@example.com", kind=CLIENT)

    with db.reading(tenant=office.id) as session:
        found = {
            kind: listing.with_address(session, office.id, "anna@example.com", kind=kind)
            for kind in MemberKind
        }
        nobody = listing.with_address(session, office.id, "ewa@example.com", kind=CLIENT)
    assert found == {MemberKind.MEMBER: user, CLIENT: client}
    assert nobody is None


@pytest.mark.product("TEN-15")
def test_a_membership_is_found_by_its_id_whichever_kind_it_is(office, now):
    made = [add(office, now, "anna@example.com", kind=kind) for kind in MemberKind]
    other = an_office("Inny")

    def find(where, membership):
        with db.reading(tenant=where.id) as session:
            return listing.find_any(session, where.id, membership, actor=BOSS, now=now)

    assert [find(office, one).kind for one in made] == list(MemberKind)
    with pytest.raises(NotFound):
        find(other, made[0])
