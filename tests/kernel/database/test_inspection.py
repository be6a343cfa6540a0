"""The look at a statement sees through whatever it is wrapped in, and costs a form one time."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from kernel.database import inspection
from kernel.database.scopes import Scope, tenant_tables
from kernel.ids import new_id
from tests.kernel.tables import Country, Folder, Paper, Reader

OURS, THEIRS = "0123456789ab", "ba9876543210"

pytestmark = pytest.mark.security("13.3", "13.4")


GUARDED = tenant_tables(Folder.metadata)


ALL_FOLDERS = select(Folder.name).subquery()


@pytest.mark.parametrize(
    "statement",
    [
        select(Folder.name).where((Folder.tenant_id == OURS) | (Folder.name == "theirs")),
        select(Folder.name).where(~(Folder.tenant_id == OURS)),
        select(Folder.name).where(Folder.tenant_id != OURS),
        select(Folder.name, Paper.text).where(Folder.tenant_id == OURS),
        select(Country.name).where(select(Folder.id).exists()),
        select(Folder.name).where(Folder.tenant_id == OURS).union_all(select(Paper.text)),
        select(Folder.name)
        .outerjoin(Paper, Folder.tenant_id == OURS)
        .where(Paper.tenant_id == OURS),
        select(select(Folder.name).subquery()),
        select(select(Folder.name).where(Folder.tenant_id == THEIRS).cte("theirs")),
        select(Country.name, Folder.name)
        .outerjoin(Folder, Folder.name == Country.name)
        .where(Country.code == "PL"),
        select(Folder.name).where(
            Folder.tenant_id == OURS, Folder.name.in_(select(Folder.name).correlate(None))
        ),
        select(Folder.name, select(Folder.name).limit(1).scalar_subquery()).where(
            Folder.tenant_id == OURS
        ),
        select(ALL_FOLDERS.c.name).where(Folder.tenant_id == OURS),
        select(delete(Folder).returning(Folder.name).cte().c.name),
        update(Folder)
        .where(Folder.tenant_id == OURS, Folder.id == Paper.folder_id)
        .values(name=Paper.text),
        update(Country).values(name=select(Folder.name).limit(1).scalar_subquery()),
        update(Country).where(Country.code == ALL_FOLDERS.c.name).values(name=ALL_FOLDERS.c.name),
        delete(Folder).where(Folder.tenant_id == OURS, Folder.id == Paper.folder_id),
        update(Folder).where(Folder.tenant_id == OURS).values(tenant_id=THEIRS),
        insert(Folder).values(tenant_id=OURS, name=select(Paper.text).limit(1).scalar_subquery()),
        insert(Folder).from_select(
            ["tenant_id", "name"],
            select(Paper.tenant_id, Paper.text).where(
                Paper.tenant_id == bindparam("tenant_id", value=OURS)
            ),
        ),
        insert(Country).from_select(["name"], select(Folder.name)),
    ],
    ids=[
        *("or", "not", "unequal", "second", "subquery", "union", "outer", "from", "cte", "loose"),
        *("anew", "scalar", "beside", "deleting-cte", "update-from", "value", "update-from-all"),
        *("using", "moved", "inserted-value", "inserted-rows", "taken-out"),
    ],
)
def test_the_hook_sees_through(statement: object) -> None:
    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS))  # type: ignore[arg-type]


DIALECTS = pytest.mark.parametrize("dialect", [sqlite, postgresql], ids=["sqlite", "postgresql"])


IS_OURS = Folder.tenant_id == OURS


@DIALECTS
@pytest.mark.parametrize(
    "instead",
    [
        {"index_elements": ["id"], "set_": {"name": "taken"}},
        {"index_elements": ["id"], "set_": {"name": "taken"}, "where": Folder.name == "theirs"},
        {
            "index_elements": ["id"],
            "set_": {"name": "taken"},
            "where": IS_OURS | (Folder.name == "theirs"),
        },
        {"index_elements": ["id"], "set_": {"name": "taken"}, "where": Folder.tenant_id == THEIRS},
        {"index_elements": ["tenant_id", "id"], "set_": {"tenant_id": THEIRS}},
        {"index_elements": ["id"], "set_": {Folder.tenant_id: OURS}, "where": IS_OURS},
        {
            "index_elements": ["tenant_id", "id"],
            "set_": {"name": select(Paper.text).limit(1).scalar_subquery()},
        },
        {
            "index_elements": ["tenant_id", "id"],
            "set_": {"name": "taken"},
            "where": Folder.name.in_(select(Paper.text)),
        },
    ],
    ids=["open", "by-name", "or", "theirs", "moved", "taken-over", "value", "where"],
)
def test_what_an_insert_changes_instead_is_seen_through_too(dialect, instead) -> None:
    statement = dialect.insert(Folder).values(tenant_id=OURS, name="ours")

    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS)) is None
    changing = statement.on_conflict_do_update(**instead)
    assert inspection.why_refuse(changing, [], GUARDED, Scope(OURS))
    assert inspection.why_refuse(changing, [], GUARDED, Scope(everywhere=True)) is None


def test_a_conflict_that_only_a_name_stands_for_may_be_with_another_tenants_row() -> None:
    statement = postgresql.insert(Folder).values(tenant_id=OURS, name="ours")
    changing = statement.on_conflict_do_update(constraint="pk_folders", set_={"name": "taken"})

    assert inspection.why_refuse(changing, [], GUARDED, Scope(OURS))


@DIALECTS
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("how", ["target", "where", "as-inserted"])
def test_what_an_insert_changes_of_the_tenants_own_passes(dialect, how, is_named) -> None:
    new = dialect.insert(Folder)
    tied: dict[str, dict[str, Any]] = {
        "target": {"index_elements": [Folder.tenant_id, Folder.id]},
        "where": {"index_elements": ["id"], "where": IS_OURS & (Folder.name != "x")},
        "as-inserted": {
            "index_elements": ["id"],
            "where": Folder.tenant_id == new.excluded.tenant_id,
        },
    }
    statement = new.on_conflict_do_update(**tied[how], set_={"name": new.excluded.name})
    row = {"tenant_id": OURS, "id": new_id(), "name": "ours"}

    rows = [row]
    if is_named:
        statement, rows = statement.values(**row), []
    assert inspection.why_refuse(statement, rows, GUARDED, Scope(OURS)) is None
    assert inspection.why_refuse(statement, rows, GUARDED, Scope(THEIRS))


def test_the_hook_lets_a_held_subquery_pass() -> None:
    owned = select(Folder.id).where(Folder.tenant_id == OURS)
    statement = select(Paper.text).where(Paper.tenant_id == OURS, Paper.folder_id.in_(owned))

    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS)) is None


@pytest.mark.parametrize(
    "statement",
    [
        select(Folder.name).where(
            Folder.tenant_id == OURS,
            select(Paper.id).where(Paper.tenant_id == Folder.tenant_id).exists(),
        ),
        select(
            Folder.name,
            select(Paper.text)
            .where(Paper.tenant_id == Folder.tenant_id)
            .correlate(Folder)
            .scalar_subquery(),
        ).where(Folder.tenant_id == OURS),
        update(Folder)
        .where(
            Folder.tenant_id == OURS,
            Paper.tenant_id == Folder.tenant_id,
            Paper.folder_id == Folder.id,
        )
        .values(name=Paper.text),
    ],
    ids=["exists", "correlated", "update-from"],
)
def test_what_is_tied_to_held_rows_passes(statement: object) -> None:
    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        update(Country).where(Country.code == Folder.name).values(name=Folder.name),
        delete(Country).where(Country.code == ALL_FOLDERS.c.name),
        select(delete(Folder).returning(Folder.name).cte().c.name),
    ],
    ids=["update-from", "using", "deleting-cte"],
)
def test_who_else_is_read_has_a_part_in_the_statement(statement: Any) -> None:
    assert inspection.reaches_tenants(statement)
    assert inspection.why_refuse_prebuilt(statement, GUARDED)


def test_two_uses_of_one_table_must_both_be_held() -> None:
    other = aliased(Folder)
    statement = select(Folder.name, other.name).where(Folder.tenant_id == OURS)

    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS))


def _looks(monkeypatch) -> list[object]:
    """The statements that are looked at closely from now on."""
    seen: list[object] = []
    look = inspection._Inspection.why_refuse

    def watched(self, part, outer):
        seen.append(part)
        return look(self, part, outer)

    monkeypatch.setattr(inspection._Inspection, "why_refuse", watched)
    return seen


def _folders_of(tenant: str):
    return select(Folder.name).where(Folder.tenant_id == tenant, Folder.name != "other")


def test_a_form_that_passed_is_not_looked_at_again(monkeypatch) -> None:
    verdicts = inspection.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    assert verdicts.why_refuse(_folders_of(THEIRS), [], Scope(THEIRS)) is None
    assert seen == []


@pytest.mark.parametrize(("named", "tenant"), [(THEIRS, OURS), (OURS, THEIRS), (OURS, None)])
def test_the_same_form_for_another_tenant_is_refused_after_one_that_passed(named, tenant) -> None:
    verdicts = inspection.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None

    assert verdicts.why_refuse(_folders_of(named), [], Scope(tenant))


def test_each_part_of_a_form_that_passed_is_held_again() -> None:
    def two(first: str, second: str):
        inner = select(Paper.folder_id).where(Paper.tenant_id == second)
        return select(Folder).where(Folder.tenant_id == first, Folder.id.in_(inner))

    verdicts = inspection.Verdicts(GUARDED)
    assert verdicts.why_refuse(two(OURS, OURS), [], Scope(OURS)) is None

    assert verdicts.why_refuse(two(OURS, THEIRS), [], Scope(OURS))
    assert verdicts.why_refuse(two(THEIRS, OURS), [], Scope(OURS))


def test_a_form_with_given_values_is_held_by_those() -> None:
    statement = select(Folder.name).where(Folder.tenant_id == bindparam("tenant"))
    verdicts = inspection.Verdicts(GUARDED)

    assert verdicts.why_refuse(statement, [{"tenant": OURS}], Scope(OURS)) is None
    assert verdicts.why_refuse(statement, [{"tenant": THEIRS}], Scope(OURS))
    assert verdicts.why_refuse(statement, [{"tenant": OURS}, {"tenant": THEIRS}], Scope(OURS))


def test_a_refusal_is_not_kept() -> None:
    verdicts = inspection.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(THEIRS), [], Scope(OURS))

    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    assert verdicts.why_refuse(select(Folder), [], Scope(OURS))


def test_what_touches_no_tenant_passes_for_everybody_and_is_looked_at_once(monkeypatch) -> None:
    verdicts = inspection.Verdicts(GUARDED)
    assert verdicts.why_refuse(select(Country), [], Scope(None)) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(select(Country), [], Scope(OURS)) is None
    assert seen == []


def test_an_outer_join_that_names_the_tenant_holds_what_it_adds() -> None:
    statement = select(Country.name, Folder.name).outerjoin(
        Folder, (Folder.tenant_id == OURS) & (Folder.name == Country.name)
    )

    assert inspection.why_refuse(statement, [], GUARDED, Scope(OURS)) is None
    assert inspection.why_refuse(statement, [], GUARDED, Scope(THEIRS))


def test_a_form_that_passed_for_a_person_is_held_for_the_next_one() -> None:
    verdicts = inspection.Verdicts(GUARDED)
    anna, other = new_id(), new_id()

    def own(person: UUID):
        return select(Reader.tenant_id).where(Reader.person_id == person)

    assert verdicts.why_refuse(own(anna), [], Scope(person=anna)) is None
    assert verdicts.why_refuse(own(other), [], Scope(person=other)) is None
    assert verdicts.why_refuse(own(other), [], Scope(person=anna))
    assert verdicts.why_refuse(own(anna), [], Scope(OURS))


@pytest.mark.parametrize(
    ("statement", "passes"),
    [
        (select(Folder.name).where(Folder.tenant_id == bindparam("tenant")), True),
        (select(Folder.name).where(Folder.name == bindparam("name")), False),
        (
            select(Folder.name)
            .select_from(Country)
            .outerjoin(Folder, Folder.tenant_id == Country.code),
            True,
        ),
        (
            select(Paper.text)
            .select_from(Country)
            .outerjoin(Folder, Folder.tenant_id == Country.code)
            .outerjoin(Paper, Paper.tenant_id == Folder.tenant_id),
            True,
        ),
        (select(Paper.text).join(Folder, Paper.tenant_id == Folder.tenant_id), False),
        (select(Country.name).where(select(Folder.id).exists()), False),
        (delete(Folder).where(Folder.tenant_id == bindparam("tenant")), True),
        (insert(Folder).values(tenant_id=bindparam("tenant")), False),
    ],
)
def test_what_is_prebuilt_ties_each_table_to_a_tenant(statement, passes) -> None:
    assert (inspection.why_refuse_prebuilt(statement, GUARDED) is None) is passes
