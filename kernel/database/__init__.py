"""The database of a program: connections, transactions, column types, the walls between tenants.

Start at `database.Database`. A program makes one, for its own MetaData:

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)

    db = Database(Base)
"""

from kernel.database.afterwards import after_commit
from kernel.database.database import Database
from kernel.database.hot import (
    Glance,
    HotStatement,
    HotTransaction,
    Reads,
    SessionNeeded,
    Writes,
    as_session,
    dialect_of,
)
from kernel.database.patience import passes_by_itself
from kernel.database.scopes import OWN
from kernel.database.tenancy import why_no_walls
from kernel.database.types import NAMING, UTCDateTime, sort_key
from kernel.database.upserts import upsert

__all__ = [
    "NAMING",
    "OWN",
    "Database",
    "Glance",
    "HotStatement",
    "HotTransaction",
    "Reads",
    "SessionNeeded",
    "UTCDateTime",
    "Writes",
    "after_commit",
    "as_session",
    "dialect_of",
    "passes_by_itself",
    "sort_key",
    "upsert",
    "why_no_walls",
]
