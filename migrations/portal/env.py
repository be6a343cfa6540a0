"""Alembic's environment for the portal's database."""

import portal.app  # noqa: F401  (its imports bring every table into the MetaData)
from portal.database import Base

from kernel.database.migrations import run_environment

run_environment(Base.metadata)
