"""The second wall: a statement that forgot the tenant reaches nobody's rows."""

import os
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import create_engine, delete, insert, pool, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, ProgrammingError
from sqlalchemy.orm import Session, aliased

from kernel.database import why_no_walls
from kernel.database.scopes import OutOfTenant
from kernel.database.tenancy import enable_row_level_security, let_people_read
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

    # PostgreSQL knows such a transaction to be one that reads.
    refused = InternalError if ON_POSTGRESQL else OutOfTenant
    with pytest.raises(refused), db.reading(person=anna) as session:
        session.execute(statement)
    with db.reading(everywhere=True) as session:
        assert len(session.scalars(select(Reader.person_id)).all()) == 3


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
