"""Alembic's environment for the crm's database."""

import crm.app  # noqa: F401  (its imports bring every table into the MetaData)
from crm.database import Base
from kernel.database.migrations import run_environment

run_environment(Base.metadata)
