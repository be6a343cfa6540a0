"""Alembic's environment for the identity program's database."""

import idp.app  # noqa: F401  (its imports bring every table into the MetaData)
from kernel.database.migrations import run_environment
from tenants.database import Base

run_environment(Base.metadata)
