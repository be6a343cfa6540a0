"""The second wall: a statement that forgot the tenant reaches nobody's rows."""

import os
from typing import Any
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import bindparam, create_engine, delete, insert, pool, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, aliased

from kernel.database import tenancy, why_no_walls
from kernel.database.tenancy import OutOfTenant, Scope, enable_row_level_security, let_people_read
from kernel.ids import new_id
from tests.conftest import ON_POSTGRESQL
from tests.kernel.tables import Country, Folder, Paper, Reader, db

OURS, THEIRS = "0123456789ab", "ba9876543210"

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
        operations = Operations(MigrationContext.configure(connection))
        for table in ("folders", "papers", "readers"):
            for policy in ("tenant", "everywhere", "own"):
                connection.execute(text(f"DROP POLICY IF EXISTS {policy} ON {table}"))
            enable_row_level_security(operations, table)
        let_people_read(operations, "readers")
        let_people_read(operations, "folders", through="readers")


def _names(tenant: str | None) -> list[str]:
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
    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS))  # type: ignore[arg-type]


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

    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS)) is None
    changing = statement.on_conflict_do_update(**instead)
    assert tenancy.why_refuse(changing, [], GUARDED, Scope(OURS))
    assert tenancy.why_refuse(changing, [], GUARDED, Scope(everywhere=True)) is None


def test_a_conflict_that_only_a_name_stands_for_may_be_with_another_tenants_row() -> None:
    statement = postgresql.insert(Folder).values(tenant_id=OURS, name="ours")
    changing = statement.on_conflict_do_update(constraint="pk_folders", set_={"name": "taken"})

    assert tenancy.why_refuse(changing, [], GUARDED, Scope(OURS))


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
    assert tenancy.why_refuse(statement, rows, GUARDED, Scope(OURS)) is None
    assert tenancy.why_refuse(statement, rows, GUARDED, Scope(THEIRS))


def test_a_row_that_is_there_already_keeps_what_another_tenant_would_write() -> None:
    with db.reading(tenant=THEIRS) as session:
        theirs = session.scalars(select(Folder.id).where(Folder.tenant_id == THEIRS)).one()
    dialect = postgresql if ON_POSTGRESQL else sqlite
    statement = (
        dialect.insert(Folder)
        .values(tenant_id=OURS, id=theirs, name="taken")
        .on_conflict_do_update(index_elements=["id"], set_={"name": "taken"})
    )

    with (
        pytest.raises((OutOfTenant, ProgrammingError)),
        db.transaction(tenant=OURS) as session,
    ):
        session.execute(statement)

    with db.reading(tenant=THEIRS) as session:
        assert session.scalars(select(Folder.name).where(Folder.tenant_id == THEIRS)).all() == [
            "theirs"
        ]


def test_the_hook_lets_a_held_subquery_pass() -> None:
    owned = select(Folder.id).where(Folder.tenant_id == OURS)
    statement = select(Paper.text).where(Paper.tenant_id == OURS, Paper.folder_id.in_(owned))

    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS)) is None


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
    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS)) is None  # type: ignore[arg-type]


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
    assert tenancy.reaches_tenants(statement)
    assert tenancy.why_refuse_prebuilt(statement, GUARDED)


def test_two_uses_of_one_table_must_both_be_held() -> None:
    other = aliased(Folder)
    statement = select(Folder.name, other.name).where(Folder.tenant_id == OURS)

    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS))


def _looks(monkeypatch) -> list[object]:
    """The statements that are looked at closely from now on."""
    seen: list[object] = []
    look = tenancy._Inspection.why_refuse

    def watched(self, part, outer):
        seen.append(part)
        return look(self, part, outer)

    monkeypatch.setattr(tenancy._Inspection, "why_refuse", watched)
    return seen


def _folders_of(tenant: str):
    return select(Folder.name).where(Folder.tenant_id == tenant, Folder.name != "other")


def test_a_form_that_passed_is_not_looked_at_again(monkeypatch) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    assert verdicts.why_refuse(_folders_of(THEIRS), [], Scope(THEIRS)) is None
    assert seen == []


@pytest.mark.parametrize(("named", "tenant"), [(THEIRS, OURS), (OURS, THEIRS), (OURS, None)])
def test_the_same_form_for_another_tenant_is_refused_after_one_that_passed(named, tenant) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None

    assert verdicts.why_refuse(_folders_of(named), [], Scope(tenant))


def test_each_part_of_a_form_that_passed_is_held_again() -> None:
    def two(first: str, second: str):
        inner = select(Paper.folder_id).where(Paper.tenant_id == second)
        return select(Folder).where(Folder.tenant_id == first, Folder.id.in_(inner))

    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(two(OURS, OURS), [], Scope(OURS)) is None

    assert verdicts.why_refuse(two(OURS, THEIRS), [], Scope(OURS))
    assert verdicts.why_refuse(two(THEIRS, OURS), [], Scope(OURS))


def test_a_form_with_given_values_is_held_by_those() -> None:
    statement = select(Folder.name).where(Folder.tenant_id == bindparam("tenant"))
    verdicts = tenancy.Verdicts(GUARDED)

    assert verdicts.why_refuse(statement, [{"tenant": OURS}], Scope(OURS)) is None
    assert verdicts.why_refuse(statement, [{"tenant": THEIRS}], Scope(OURS))
    assert verdicts.why_refuse(statement, [{"tenant": OURS}, {"tenant": THEIRS}], Scope(OURS))


def test_a_refusal_is_not_kept() -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(_folders_of(THEIRS), [], Scope(OURS))

    assert verdicts.why_refuse(_folders_of(OURS), [], Scope(OURS)) is None
    assert verdicts.why_refuse(select(Folder), [], Scope(OURS))


def test_what_touches_no_tenant_passes_for_everybody_and_is_looked_at_once(monkeypatch) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    assert verdicts.why_refuse(select(Country), [], Scope(None)) is None
    seen = _looks(monkeypatch)

    assert verdicts.why_refuse(select(Country), [], Scope(OURS)) is None
    assert seen == []


def test_an_outer_join_that_names_the_tenant_holds_what_it_adds() -> None:
    statement = select(Country.name, Folder.name).outerjoin(
        Folder, (Folder.tenant_id == OURS) & (Folder.name == Country.name)
    )

    assert tenancy.why_refuse(statement, [], GUARDED, Scope(OURS)) is None
    assert tenancy.why_refuse(statement, [], GUARDED, Scope(THEIRS))


@pytest.fixture
def anna() -> UUID:
    """Reads in our tenant; somebody else in both."""
    anna, other = new_id(), new_id()
    for tenant, person in ((OURS, anna), (OURS, other), (THEIRS, other)):
        with db.transaction(tenant=tenant) as session:
            session.add(Reader(tenant_id=tenant, person_id=person))
    return anna


def test_a_person_reads_their_own_rows_and_what_these_tie_them_to(anna: UUID) -> None:
    folders = (
        select(Folder.name)
        .join(Reader, Reader.tenant_id == Folder.tenant_id)
        .where(Reader.person_id == anna)
    )
    with db.reading(person=anna) as session:
        assert session.scalars(folders).all() == ["ours"]
        assert session.scalars(select(Reader.tenant_id).where(Reader.person_id == anna)).all() == [
            OURS
        ]


def test_a_person_reads_nothing_of_anybody_else(anna: UUID) -> None:
    mine = aliased(Reader)
    beside_me = (
        select(Reader.person_id)
        .join(mine, mine.tenant_id == Reader.tenant_id)
        .where(mine.person_id == anna, Reader.person_id != anna)
    )
    papers = (
        select(Paper.text)
        .join(Reader, Reader.tenant_id == Paper.tenant_id)
        .where(Reader.person_id == anna)
    )
    for statement in (beside_me, papers, select(Paper.text), select(Reader.person_id)):
        with db.reading(person=anna) as session:
            if ON_POSTGRESQL:
                assert {each for each in session.scalars(statement) if each != anna} == set()
            else:
                with pytest.raises(OutOfTenant):
                    session.scalars(statement)


def test_a_person_changes_nothing(anna: UUID) -> None:
    statement = delete(Reader).where(Reader.person_id == anna)

    assert tenancy.why_refuse(statement, [], GUARDED, Scope(person=anna))
    with db.reading(everywhere=True) as session:
        assert len(session.scalars(select(Reader.person_id)).all()) == 3


def test_a_form_that_passed_for_a_person_is_held_for_the_next_one(anna: UUID) -> None:
    verdicts = tenancy.Verdicts(GUARDED)
    other = new_id()

    def own(person: UUID):
        return select(Reader.tenant_id).where(Reader.person_id == person)

    assert verdicts.why_refuse(own(anna), [], Scope(person=anna)) is None
    assert verdicts.why_refuse(own(other), [], Scope(person=other)) is None
    assert verdicts.why_refuse(own(other), [], Scope(person=anna))
    assert verdicts.why_refuse(own(anna), [], Scope(OURS))


def test_everywhere_sees_all_tenants_and_nothing_else_does() -> None:
    with db.reading(everywhere=True) as session:
        assert set(session.scalars(select(Folder.name))) == {"ours", "theirs"}
    with db.transaction(everywhere=True) as session:
        session.execute(update(Folder).values(name="seen"))
    with db.reading(tenant=OURS) as session:
        assert session.scalars(select(Folder.name).where(Folder.tenant_id == OURS)).all() == [
            "seen"
        ]


def test_after_everywhere_the_same_connection_is_held_again() -> None:
    """The pool has one: what a transaction may must end with it."""
    with db.reading(everywhere=True) as session:
        session.scalars(select(Folder.name)).all()
    for _ in range(3):
        test_without_a_tenant_there_are_no_rows()


@pytest.mark.parametrize(
    "both", [{"tenant": OURS, "everywhere": True}, {"tenant": OURS, "person": new_id()}]
)
def test_a_transaction_is_for_one_thing(both) -> None:
    with pytest.raises(ValueError, match="one tenant"):
        Scope(**both)


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
    assert (tenancy.why_refuse_prebuilt(statement, GUARDED) is None) is passes


def test_the_role_of_the_program_is_looked_at() -> None:
    with db.reading() as session:
        assert why_no_walls(session) is None


def test_a_role_above_the_walls_is_noticed(kernel_app: Flask) -> None:
    address = make_url(kernel_app.config["SQLALCHEMY_DATABASE_URI"])
    if ON_POSTGRESQL:
        superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
        address = superuser.set(database=address.database)
    with Session(create_engine(address, poolclass=pool.NullPool)) as session:
        assert ("above" in (why_no_walls(session) or "")) is ON_POSTGRESQL
