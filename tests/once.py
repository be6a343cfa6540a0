"""Which tests prove the same whatever the database is: `make test` runs them on SQLite alone."""

import re
from functools import cache
from pathlib import Path

import pytest

_NAMES_A_DATABASE = re.compile("postgres", re.IGNORECASE)


def is_the_same_everywhere(item: pytest.Item) -> bool:
    """Whether a test has no database of its own, and its module speaks of none."""
    return "make_database" not in getattr(item, "fixturenames", ()) and not _speaks_of(item.path)


@cache
def _speaks_of(module: Path) -> bool:
    return bool(_NAMES_A_DATABASE.search(module.read_text(encoding="utf-8")))
