"""Hot statements say the same as SQLAlchemy's own, and never go where the walls are."""

from typing import cast

import pytest
from flask import Flask
from sqlalchemy import Table, bindparam, delete, insert, select, text, update

from kernel.database import HotStatement, SessionNeeded, as_session
from kernel.database.scopes import OutOfTenant
from kernel.ids import new_id
from tests.conftest import NOON, ON_POSTGRESQL
from tests.kernel.tables import Country, Folder, LedgerEntry, Limit, db

COUNTRIES, FOLDERS, LIMITS = (cast(Table, one.__table__) for one in (Country, Folder, Limit))
COUNTRY = COUNTRIES.c
FIND = HotStatement(select(COUNTRY.code, COUNTRY.name).where(COUNTRY.code == bindparam("which")))
ADD = HotStatement(insert(COUNTRIES).values(code=bindparam("new_code"), name=bindparam("new_name")))
RENAME = HotStatement(
    update(COUNTRIES)
    .where(COUNTRY.code == bindparam("which"), COUNTRY.name != "fixed")
    .values(name=bindparam("new_name"))
    .returning(COUNTRY.name)
)


def _poland() -> None:
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))


def _rename_and_fail() -> None:
    with db.hot_transaction() as transaction:
        RENAME.rows(transaction, which="PL", new_name="Pologne")
        raise LookupError


def test_a_row_is_the_same_in_a_session_and_without_one(kernel_app: Flask):
    _poland()

    with db.reading() as session, db.glancing() as glance:
        for at in (session, glance):
            row = FIND.first(at, which="PL")
            assert row is not None
            assert (row.code, row.name) == ("PL", "Polska")
            assert FIND.first(at, which="XX") is None


def test_types_are_converted_both_ways(kernel_app: Flask):
    """Moments, bytes and numbers come back as they went in."""
    row = {"key_hash": b"k" * 32, "count": 3, "refused_until": NOON, "forget_at": NOON}
    add = HotStatement(insert(LIMITS).values({name: bindparam(f"new_{name}") for name in row}))
    find = HotStatement(select(LIMITS).where(LIMITS.c.forget_at == bindparam("moment")))

    with db.hot_transaction() as transaction:
        add.rows(transaction, **{f"new_{name}": value for name, value in row.items()})

    with db.glancing() as glance, db.reading() as session:
        found = find.first(glance, moment=NOON)
        assert found is not None
        assert found._asdict() == find.first(session, moment=NOON)._asdict()
        assert {name: getattr(found, name) for name in row} == row


def test_a_transaction_commits_or_is_undone(kernel_app: Flask):
    _poland()

    with db.hot_transaction() as transaction:
        assert RENAME.first(transaction, which="PL", new_name="Poland").name == "Poland"
    with pytest.raises(LookupError):
        _rename_and_fail()

    with db.glancing() as glance:
        assert FIND.first(glance, which="PL").name == "Poland"


def test_one_statement_runs_for_many_rows(kernel_app: Flask):
    with db.hot_transaction() as transaction:
        ADD.each(
            transaction,
            [{"new_code": "PL", "new_name": "Polska"}, {"new_code": "CZ", "new_name": "Česko"}],
        )

    with db.glancing() as glance:
        assert [FIND.first(glance, which=code).name for code in ("PL", "CZ")] == ["Polska", "Česko"]


def test_a_glance_sees_what_was_committed_meanwhile_and_can_not_write(kernel_app: Flask):
    with db.glancing() as glance:
        assert FIND.first(glance, which="PL") is None
        _poland()
        assert FIND.first(glance, which="PL") is not None
        with pytest.raises(Exception, match=r"readonly|read-only"):
            ADD.rows(glance, new_code="CZ", new_name="Česko")

    with db.glancing() as glance:
        assert FIND.first(glance, which="CZ") is None


@pytest.mark.security("13.4")
def test_a_hot_statement_reaches_rows_of_tenants_only_where_a_tenant_is_named(kernel_app: Flask):
    folder = FOLDERS.c
    with db.transaction(tenant="0123456789ab") as session:
        session.add(Folder(tenant_id="0123456789ab", name="ours"))

    for statement in (
        select(folder.name),
        select(folder.name).where(folder.name == bindparam("tenant")),
        delete(FOLDERS),
        insert(FOLDERS).values(id=new_id(), tenant_id=bindparam("tenant"), name="planted"),
    ):
        with db.glancing() as glance, pytest.raises(OutOfTenant):
            HotStatement(statement).rows(glance, tenant="0123456789ab")

    held = HotStatement(select(folder.name).where(folder.tenant_id == bindparam("tenant")))
    with db.glancing() as glance:
        assert [row.name for row in held.rows(glance, tenant="0123456789ab")] == ["ours"]
        assert held.rows(glance, tenant="ba9876543210") == []


def test_an_append_only_table_is_no_exception(kernel_app: Flask):
    with db.glancing() as glance:
        assert HotStatement(select(LedgerEntry.__table__.c.id)).rows(glance) == []


def test_a_connection_that_ended_while_it_waited_is_replaced(kernel_app: Flask):
    _poland()
    with db.glancing() as glance:
        FIND.first(glance, which="PL")
    with db.hot_transaction() as transaction:
        FIND.first(transaction, which="PL")

    if ON_POSTGRESQL:
        with db.transaction() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND usename = session_user"
                )
            )
    else:
        kernel_app.extensions["klucznik.database"].close_hot(db.engine)

    with db.glancing() as glance:
        assert FIND.first(glance, which="PL") is not None
    with db.hot_transaction() as transaction:
        assert FIND.first(transaction, which="PL") is not None


def test_what_takes_more_than_hot_statements_begins_again_in_a_session(kernel_app: Flask):
    def add_and_more() -> None:
        with db.hot_transaction() as transaction:
            ADD.rows(transaction, new_code="PL", new_name="Polska")
            as_session(transaction)

    with pytest.raises(SessionNeeded):
        add_and_more()

    with db.transaction() as session:
        assert as_session(session) is session
        assert FIND.first(session, which="PL") is None
