import inspect
from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.errors import NotFound, VersionConflict
from kernel.pages import CursorUnusable, PageRequest
from tenants.accounts.service import NotValid
from tenants.audit import account_chain, ledger
from tenants.companies import service as companies
from tenants.companies.models import Company
from tenants.companies.service import MainCompany, NotANip
from tenants.database import db
from tenants.facts.models import Fact
from tenants.lifecycle import service as lifecycle
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")

NIP = "5260001246"


@pytest.fixture
def account(now) -> str:
    return an_account(now)


def an_account(now, **details) -> str:
    facts = {"name": "Alfa", "nip": NIP, **details}
    return lifecycle.create(**facts, creator=None, actor="operator", now=now).id


def act(account, what, *args, **words):
    with db.transaction(tenant=account) as session:
        return what(session, account, *args, actor="person:7", **words)


def a_company(account, now, name="Beta", **values):
    return act(account, companies.create, {"name": name, **values}, now=now)


def the_list(account, **words):
    with db.reading(tenant=account) as session:
        return companies.listed(session, account, asked=words.pop("asked", PageRequest()), **words)


def main_of(account):
    return next(one for one in the_list(account).items if one.is_main)


@pytest.mark.product("TEN-4")
@pytest.mark.parametrize("is_office", [True, False])
def test_an_account_has_any_number_of_further_companies_office_or_not(is_office, now):
    account = an_account(now, is_accounting_office=is_office)

    for number in range(12):
        a_company(account, now, f"Firma {number}")

    with db.reading(tenant=account) as session:
        assert companies.count(session, account) == 13


@pytest.mark.product("TEN-4")
def test_a_company_has_its_details_and_a_key_of_its_own(account, now):
    values = {"nip": NIP, "street": "Polna 7", "postcode": "00-950", "town": "Łódź"}

    made = a_company(account, now, **values)

    assert {field: getattr(made, field) for field in values} == values
    assert (made.name, made.country, made.is_main) == ("Beta", "PL", False)
    assert len(made.id) == 16
    assert set(made.id) <= set("0123456789abcdef")
    assert made.id != main_of(account).id


@pytest.mark.product("TEN-4")
@pytest.mark.security("15.2")
def test_of_fifty_made_at_once_with_keys_that_repeat_each_has_its_own(
    identity_app, now, monkeypatch
):
    accounts = [an_account(now) for _ in range(5)]
    keys = iter(f"{number // 2:016x}" for number in range(1_000))
    monkeypatch.setattr(companies, "new_key", lambda: next(keys))
    turns = iter(accounts * 10)

    answers = all_at_once(identity_app, 50, lambda: a_company(next(turns), now))

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert len({made.id for made in answers}) == 50
    with db.reading(everywhere=True) as session:
        keys_kept = session.scalars(select(Company.id)).all()
    assert len(set(keys_kept)) == len(keys_kept) == 55


@pytest.mark.product("TEN-4")
def test_a_key_of_another_accounts_company_is_never_given_again(account, now, monkeypatch):
    taken = a_company(an_account(now), now)
    keys = iter([taken.id, "00000000000000ab"])
    monkeypatch.setattr(companies, "new_key", lambda: next(keys))

    assert a_company(account, now).id == "00000000000000ab"


def test_where_every_random_key_repeats_no_company_is_made(account, now, monkeypatch):
    taken = a_company(account, now)
    monkeypatch.setattr(companies, "new_key", lambda: taken.id)

    with pytest.raises(RuntimeError):
        a_company(account, now)


@pytest.mark.product("TEN-4")
def test_a_company_is_edited(account, now):
    made = a_company(account, now)

    changed = act(
        account,
        companies.change,
        made.id,
        {"name": "Gamma", "town": "Gdynia"},
        version=1,
        now=now + timedelta(hours=1),
    )

    assert (changed.name, changed.town, changed.version) == ("Gamma", "Gdynia", 2)
    assert changed.updated_at == now + timedelta(hours=1)
    assert [one.name for one in the_list(account, text="gam").items] == ["Gamma"]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [({"nip": "5260001247"}, NotANip), ({"name": ""}, NotValid), ({"is_main": True}, NotValid)],
)
@pytest.mark.security("15.1", "12.3")
def test_a_wrong_detail_is_refused(account, values, refusal, now):
    with pytest.raises(refusal):
        act(account, companies.change, main_of(account).id, values, version=None, now=now)


def test_a_company_without_a_name_is_not_made(account, now):
    with pytest.raises(NotValid):
        act(account, companies.create, {}, now=now)


@pytest.mark.product("TEN-4")
def test_a_company_is_archived_and_comes_back_as_it_was(account, now):
    made = a_company(account, now)

    archived = act(account, companies.archive, made.id, version=1, now=now)
    assert archived.archived_at == now
    assert not archived.is_active
    assert made.id not in [one.id for one in the_list(account).items]
    assert [one.id for one in the_list(account, archived=True).items] == [made.id]

    restored = act(account, companies.restore, made.id, version=2, now=now)
    assert restored.archived_at is None
    assert restored.id == made.id


def test_archiving_what_is_archived_and_restoring_what_is_not_changes_nothing(account, now):
    made = a_company(account, now)
    assert act(account, companies.restore, made.id, version=None, now=now) == made

    once = act(account, companies.archive, made.id, version=None, now=now)
    twice = act(account, companies.archive, made.id, version=None, now=now + timedelta(days=1))

    assert twice == once


@pytest.mark.product("TEN-4")
def test_the_main_company_stays(account, now):
    with pytest.raises(MainCompany):
        act(account, companies.archive, main_of(account).id, version=None, now=now)


@pytest.mark.parametrize("what", [companies.archive, companies.restore])
def test_a_company_that_was_changed_meanwhile_is_not_put_away_blindly(account, what, now):
    made = a_company(account, now)
    act(account, companies.change, made.id, {"town": "Łódź"}, version=1, now=now)

    with pytest.raises(VersionConflict):
        act(account, what, made.id, version=1, now=now)


@pytest.mark.security("15.2")
def test_of_fifty_changes_under_one_version_one_wins(identity_app, account, now):
    made = a_company(account, now)
    towns = iter(f"Miasto {number}" for number in range(50))

    answers = all_at_once(
        identity_app,
        50,
        lambda: act(account, companies.change, made.id, {"town": next(towns)}, version=1, now=now),
    )

    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(isinstance(a, VersionConflict) for a in answers if isinstance(a, Exception))


@pytest.mark.security("13.6", "12.2")
def test_a_company_of_another_account_is_not_there(account, now):
    foreign = a_company(an_account(now), now)

    with db.reading(tenant=account) as session:
        assert companies.find(session, account, foreign.id) is None
        assert companies.find_all(session, account, [foreign.id]) == {}
    for what, args in (
        (companies.change, ({"name": "Nasza"},)),
        (companies.archive, ()),
        (companies.restore, ()),
    ):
        with pytest.raises(NotFound):
            act(account, what, foreign.id, *args, version=None, now=now)


@pytest.mark.product("TEN-5")
def test_nothing_that_is_done_to_companies_takes_two_accounts():
    for name in companies.__all__:
        taken = getattr(companies, name)
        if inspect.isfunction(taken):
            assert list(inspect.signature(taken).parameters).count("account") == 1
            assert not {"to", "target", "from_account"} & set(inspect.signature(taken).parameters)


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_what_is_done_to_companies_is_in_the_history_of_the_account_and_told(account, now):
    made = a_company(account, now)
    act(account, companies.change, made.id, {"town": "Łódź"}, version=None, now=now)
    act(account, companies.archive, made.id, version=None, now=now)
    act(account, companies.restore, made.id, version=None, now=now)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(account), limit=4)
        told = session.scalars(select(Fact).order_by(Fact.number.desc()).limit(4)).all()
    assert [row.event for row in rows] == [
        "company:restored",
        "company:archived",
        "company:changed",
        "company:created",
    ]
    assert {row.subject for row in rows} == {f"company:{made.id}"}
    assert {row.actor for row in rows} == {"person:7"}
    assert rows[2].personal["town"] == [None, "Łódź"]
    assert [fact.kind for fact in told] == [
        "company.restored",
        "company.archived",
        "company.changed",
        "company.created",
    ]
    assert told[2].details == {"company": made.id, "fields": ["town"]}


def test_companies_are_listed_by_name_a_page_at_a_time(account, now):
    for name in ("gamma", "Beta", "Ćma"):
        a_company(account, now, name)

    first = the_list(account, asked=PageRequest(limit=3))
    second = the_list(account, asked=PageRequest(limit=3, cursor=first.next))

    assert [one.name for one in first.items] == ["Alfa", "Beta", "Ćma"]
    assert [one.name for one in second.items] == ["gamma"]
    assert (first.total, second.next) == (4, None)


@pytest.mark.security("13.6")
def test_a_page_of_one_account_or_of_fewer_companies_does_not_lead_into_another(account, now):
    a_company(account, now)
    other = an_account(now)
    cursor = the_list(account, asked=PageRequest(limit=1)).next

    with pytest.raises(CursorUnusable):
        the_list(other, asked=PageRequest(cursor=cursor))
    with pytest.raises(CursorUnusable):
        the_list(account, asked=PageRequest(cursor=cursor), archived=True)


def test_who_may_see_some_companies_sees_and_counts_these_alone(account, now):
    seen, hidden = a_company(account, now), a_company(account, now, "Tajna")

    page = the_list(account, among=[seen.id])

    assert [one.id for one in page.items] == [seen.id]
    assert page.total == 1
    assert the_list(account, among=[seen.id], text="taj").items == ()
    assert the_list(account, among=[]).items == ()
    assert hidden.id in [one.id for one in the_list(account).items]


def test_a_company_is_found_by_part_of_its_name_by_nip_and_by_key(account, now):
    made = a_company(account, now, "Zielony_Las", nip="7740001454")

    for text in ("zielony_", "7740001454", made.id):
        assert [one.id for one in the_list(account, text=text).items] == [made.id]
    assert the_list(account, text="zielony%").items == ()
