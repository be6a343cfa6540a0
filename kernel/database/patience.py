"""Which failures of a database pass by themselves: somebody else was in the way for too long."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree


def passes_by_itself(failure: BaseException) -> bool:
    """Whether nothing is wrong with what was asked, and asking again may well be answered.

    A lock or a connection was waited for in vain, or the server is away. Nothing was changed, unless it
    went away in the middle of a commit: then nobody here knows.

    >>> passes_by_itself(sqlite3.OperationalError("database is locked"))
    True
    >>> passes_by_itself(sqlite3.OperationalError("no such table: people"))
    False
    """
    if isinstance(failure, NoConnectionFree):
        return True
    cause = failure.orig if isinstance(failure, DBAPIError) else failure
    if isinstance(cause, sqlite3.OperationalError):
        # SQLite gives nearly every failure this class.
        return "is locked" in str(cause)
    # PostgreSQL's driver is not imported where nobody uses it, but each driver has this class.
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)
