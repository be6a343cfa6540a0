"""The second wall: a statement that forgot the tenant reaches nobody's rows."""

import os
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import bindparam, create_engine, delete, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import aliased

from kernel.database import tenancy
from kernel.database.tenancy import OutOfTenant, enable_row_level_security
from kernel.ids import new_id
from tests.conftest import ON_POSTGRESQL
from tests.kernel.tables import Country, Folder, Paper, db

OURS, THEIRS = new_id(), new_id()

pytestmark = pytest.mark.security("13.3", "13.4")


@pytest.fixture(autouse=True)
def _two_tenants(kernel_app: Flask) -> None:
    if ON_POSTGRESQL:
        _raise_walls(kernel_app)
    for tenant, name in ((OURS, "ours"), (THEIRS, "theirs")):
        with db.transaction(tenant=tenant) as session:
            folder = Folder(tenant_id=tenant, name=name)
            session.add(folder)
            session.flush()
            session.add(Paper(tenant_id=tenant, folder_id=folder.id, text=name))
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))


def _raise_walls(app: Flask) -> None:
    superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
    owner = superuser.set(database=make_url(app.config["SQLALCHEMY_DATABASE_URI"]).database)
    with create_engine(owner).begin() as connection:
        for table in ("folders", "papers"):
            connection.execute(text(f"DROP POLICY IF EXISTS tenant ON {table}"))
            operations = Operations(MigrationContext.configure(connection))
            enable_row_level_security(operations, table)


def _names(tenant: UUID | None) -> list[str]:
    """What a query without any filter finds."""
    with db.reading(tenant=tenant) as session:
        return list(session.scalars(select(Folder.name)))


def test_a_query_without_the_tenant_never_shows_the_rows_of_another() -> None:
    if ON_POSTGRESQL:
        assert _names(OURS) == ["ours"]
    else:
        with pytest.raises(OutOfTenant):
            _names(OURS)


def test_without_a_tenant_there_are_no_rows() -> None:
    if ON_POSTGRESQL:
        assert _names(None) == []
    else:
        with pytest.raises(OutOfTenant):
            _names(None)


def test_a_query_held_to_the_tenant_finds_its_rows() -> None:
    with db.reading(tenant=OURS) as session:
        found = session.scalars(select(Folder.name).where(Folder.tenant_id == OURS))
        assert list(found) == ["ours"]


def test_asking_for_another_tenants_rows_by_name_finds_nothing() -> None:
    statement = select(Folder.name).where(Folder.tenant_id == THEIRS)
    with db.reading(tenant=OURS) as session:
        if ON_POSTGRESQL:
            assert list(session.scalars(statement)) == []
        else:
            with pytest.raises(OutOfTenant):
                session.scalars(statement)


def test_a_join_is_held_through_its_tie() -> None:
    statement = (
        select(Paper.text)
        .join(Folder, (Folder.id == Paper.folder_id) & (Folder.tenant_id == Paper.tenant_id))
        .where(Paper.tenant_id == OURS)
    )
    with db.reading(tenant=OURS) as session:
        assert list(session.scalars(statement)) == ["ours"]


def test_an_update_or_a_delete_of_everything_touches_no_other_tenant() -> None:
    for statement in (update(Folder).values(name="taken"), delete(Paper)):
        if ON_POSTGRESQL:
            with db.transaction(tenant=OURS) as session:
                session.execute(statement)
        else:
            with pytest.raises(OutOfTenant), db.transaction(tenant=OURS) as session:
                session.execute(statement)

    with db.reading(tenant=THEIRS) as session:
        assert session.scalars(select(Folder.name).where(Folder.tenant_id == THEIRS)).all() == [
            "theirs"
        ]
        assert session.scalars(select(Paper.text).where(Paper.tenant_id == THEIRS)).all() == [
            "theirs"
        ]


def test_a_row_cant_be_written_for_another_tenant() -> None:
    row = {"id": new_id(), "tenant_id": THEIRS, "name": "planted"}
    with (
        pytest.raises((OutOfTenant, ProgrammingError)),
        db.transaction(tenant=OURS) as session,
    ):
        session.execute(insert(Folder), [row])


def test_an_object_of_another_tenant_cant_be_added() -> None:
    with pytest.raises(OutOfTenant), db.transaction(tenant=OURS) as session:
        session.add(Folder(tenant_id=THEIRS, name="planted"))


def test_an_object_that_was_loaded_can_be_changed() -> None:
    with db.transaction(tenant=OURS) as session:
        folder = session.scalars(select(Folder).where(Folder.tenant_id == OURS)).one()
        folder.name = "renamed"

    with db.reading(tenant=OURS) as session:
        assert session.scalars(select(Folder.name).where(Folder.tenant_id == OURS)).all() == [
            "renamed"
        ]


def test_a_table_of_nobody_is_open_to_all() -> None:
    with db.reading() as session:
        assert session.scalars(select(Country.name)).all() == ["Polska"]


GUARDED = tenancy.tenant_tables(Folder.metadata)


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
    ],
    ids=["or", "not", "unequal", "second table", "subquery", "union", "outer", "from", "cte"],
)
def test_the_hook_sees_through(statement: object) -> None:
    assert tenancy.why_refuse(statement, [], GUARDED, OURS)  # type: ignore[arg-type]


def test_the_hook_lets_a_held_subquery_pass() -> None:
    owned = select(Folder.id).where(Folder.tenant_id == OURS)
    statement = select(Paper.text).where(Paper.tenant_id == OURS, Paper.folder_id.in_(owned))

    assert tenancy.why_refuse(statement, [], GUARDED, OURS) is None


def test_two_uses_of_one_table_must_both_be_held() -> None:
    other = aliased(Folder)
    statement = select(Folder.name, other.name).where(Folder.tenant_id == OURS)

    assert tenancy.why_refuse(statement, [], GUARDED, OURS)


def _looks(monkeypatch) -> list[object]:
    """The statements that are looked at closely from now on."""
    seen: list[object] = []
    look = tenancy._Inspection.why_refuse

    def watched(self, part, outer):
        seen.append(part)
        return look(self, part, outer)

    monkeypatch.setattr(tenancy._Inspection, "why_refuse", watched)
    return seen


def _folders_of(tenant: UUID):
    return select(Folder.name).where(Folder.tenant_id == tenant, Folder.name != "other")


def test_a_form_that_passed_is_not_looked_at_again(monkeypatch) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], OURS) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(_folders_of(OURS), [], OURS) is None
    assert verdicts.why_refuse(_folders_of(THEIRS), [], THEIRS) is None
    assert seen == []


@pytest.mark.parametrize(("named", "tenant"), [(THEIRS, OURS), (OURS, THEIRS), (OURS, None)])
def test_the_same_form_for_another_tenant_is_refused_after_one_that_passed(named, tenant) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], OURS) is None

    assert verdicts.why_refuse(_folders_of(named), [], tenant)


def test_each_part_of_a_form_that_passed_is_held_again() -> None:
    def two(first: UUID, second: UUID):
        inner = select(Paper.folder_id).where(Paper.tenant_id == second)
        return select(Folder).where(Folder.tenant_id == first, Folder.id.in_(inner))

    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(two(OURS, OURS), [], OURS) is None

    assert verdicts.why_refuse(two(OURS, THEIRS), [], OURS)
    assert verdicts.why_refuse(two(THEIRS, OURS), [], OURS)


def test_a_form_with_given_values_is_held_by_those() -> None:
    statement = select(Folder.name).where(Folder.tenant_id == bindparam("tenant"))
    verdicts = tenancy.Verdicts(GUARDED)

    assert verdicts.why_refuse(statement, [{"tenant": OURS}], OURS) is None
    assert verdicts.why_refuse(statement, [{"tenant": THEIRS}], OURS)
    assert verdicts.why_refuse(statement, [{"tenant": OURS}, {"tenant": THEIRS}], OURS)


def test_a_refusal_is_not_kept() -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(THEIRS), [], OURS)

    assert verdicts.why_refuse(_folders_of(OURS), [], OURS) is None
    assert verdicts.why_refuse(select(Folder), [], OURS)


def test_what_touches_no_tenant_passes_for_everybody_and_is_looked_at_once(monkeypatch) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(select(Country), [], None) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(select(Country), [], OURS) is None
    assert seen == []
