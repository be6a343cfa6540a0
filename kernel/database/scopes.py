"""Whose rows a transaction is for, and which tables have rows that are somebody's."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import MetaData, Table

from kernel.errors import KlucznikError

TENANT_COLUMN = "tenant_id"

PERSON_COLUMN = "person_id"

OWN = "klucznik.own"
"""In a table's `info`: what a person may read of it in any tenant. `"person"`: the rows that name them;
`"tenant"`: the rows of tenants to which a row of the first kind ties them."""


class OutOfTenant(KlucznikError):
    """A statement would have reached rows that its transaction is not for."""


@dataclass(frozen=True)
class Scope:
    """Whose rows a transaction is for. Nothing said: no tenant's."""

    tenant: str | None = None
    person: UUID | None = None
    everywhere: bool = False

    def __post_init__(self) -> None:
        if sum((self.tenant is not None, self.person is not None, self.everywhere)) > 1:
            raise ValueError("a transaction is for one tenant, or one person, or everywhere")


NOWHERE = Scope()


def tenant_tables(metadata: MetaData) -> frozenset[Table]:
    """The tables whose rows belong to one tenant each."""
    return frozenset(table for table in metadata.tables.values() if TENANT_COLUMN in table.c)
