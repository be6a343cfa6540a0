"""Alembic's environment for the portal's database."""

import portal.app  # noqa: F401  (its imports bring every table into the MetaData)
from kernel.database.migrations import run_environment
from portal.database import Base

run_environment(Base.metadata)
