"""`INSERT … ON CONFLICT`: SQLAlchemy has it once for each database, spelled alike."""

from typing import Any, cast

from sqlalchemy.dialects import postgresql, sqlite


def upsert(dialect: str, table: Any) -> sqlite.Insert:
    """A new row of this table that may say what happens where there is one already."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    return cast(sqlite.Insert, postgresql.insert(table))
