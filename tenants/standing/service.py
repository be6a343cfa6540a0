"""A person's standing in an account: all that decides what they may do there, in two statements.

Nothing of it is remembered: whoever is blocked, or loses a role, is without it at the next use. What
follows from it stands in `scope` (what counts where) and in `tenants.roles.power` (who may give what).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.applications.rights import Right


@dataclass(frozen=True)
class HeldRole:
    """A role that somebody holds now, on the whole account or on one company."""

    id: UUID
    name: str
    is_admin: bool
    wants_strong: bool
    company: str | None
    rights: frozenset[Right] = frozenset()
    """What its ticks give where it is held; an admin role lists none: it has all."""


@dataclass(frozen=True)
class Standing:
    """A person in an account. Their two memberships, of which either or both may be missing."""

    account: str
    account_name: str
    account_status: str
    person_id: UUID
    person_is_active: bool
    member_id: UUID | None
    member_state: str | None
    client_id: UUID | None
    client_state: str | None
    signed_out_at: datetime | None
    """Sign-ins up to this moment don't count here."""
    sign_in_hours: int | None
    """How old a sign-in may be that counts here."""
    wants_strong: bool
    """Whether the account asks everybody for more than a code by mail (ID-6)."""
    applications: frozenset[str]
    roles: tuple[HeldRole, ...]
    """Those whose assignment has not expired."""
    company: str | None = None
    """The company that was asked for, if it is one of the account and not archived."""
    company_name: str | None = None
    audiences: Mapping[str, str] | None = None
    """Which application serves which audience, whether the account has it or not."""
    all_rights: frozenset[Right] = frozenset()
    """What an admin role gives on the whole account; filled for who holds one."""
    all_company_rights: frozenset[Right] = frozenset()
    """What it gives on one company."""
