"""What a database says of how it would find the rows of a statement."""

from collections.abc import Collection
from typing import Any

from tenants.database import db


def scanned(sql: str, values: Any, *, whole: Collection[str] = ()) -> set[str]:
    """The tables that this statement reads from end to end, but for `whole` ones."""
    if sql.startswith("SET "):
        # For whom the transaction is: it reads nothing, and PostgreSQL has no plan for it.
        return set()
    raw = db.engine.raw_connection()
    try:
        cursor = raw.cursor()
        if db.engine.dialect.name == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            lines = [str(row[3]) for row in cursor.fetchall()]
            found = {line.split()[1] for line in lines if _is_scan(line)}
        else:
            # A table of a few rows is always read whole, unless that is forbidden.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", values)
            lines = [str(row[0]) for row in cursor.fetchall()]
            found = {
                line.split("Seq Scan on ")[1].split()[0] for line in lines if "Seq Scan on " in line
            }
        raw.rollback()
    finally:
        raw.close()
    return (found & set(db.metadata.tables)) - set(whole)


def _is_scan(line: str) -> bool:
    # To walk along a whole index is to read all of it, too.
    return line.startswith("SCAN ") and line != "SCAN CONSTANT ROW"
