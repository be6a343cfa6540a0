"""The rows of roles and of what is ticked in them: read and written, without a question who may."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from kernel.errors import NotFound
from kernel.i18n.letters import in_order
from tenants.applications.models import Permission
from tenants.roles.models import Role, RolePermission
from tenants.roles.power import ALL, All, Right

_TICKS = cast(Table, RolePermission.__table__)

_COLUMNS = (
    Role.id,
    Role.name,
    Role.is_admin,
    Role.second_factor,
    Role.version,
    Role.created_at,
    Role.updated_at,
)


@dataclass(frozen=True)
class RoleSummary:
    """A role. An admin role lists no rights: it has all."""

    id: UUID
    name: str
    is_admin: bool
    second_factor: str
    """`strong`: whoever holds it signs in with more than a code by mail (ID-6)."""
    version: int
    created_at: datetime
    updated_at: datetime
    ticks: frozenset[Right] = frozenset()
    """Of permissions that are declared now. What was retired is kept, and shown to nobody."""

    @property
    def rights(self) -> frozenset[Right] | All:
        """What it gives, for whoever has to decide about giving it."""
        return ALL if self.is_admin else self.ticks

    def has(self, right: Right) -> bool:
        """Whether its cell in the grid is ticked."""
        return self.is_admin or right in self.ticks


def all_of(
    session: Session, account: str, role_ids: Collection[UUID] | None = None
) -> list[RoleSummary]:
    """Roles of an account, the admin role first, then by name; None: all."""
    roles = select(*_COLUMNS).where(Role.tenant_id == account)
    ticks = (
        select(RolePermission.role_id, RolePermission.application_id, RolePermission.permission)
        .join(
            Permission,
            (Permission.application_id == RolePermission.application_id)
            & (Permission.name == RolePermission.permission),
        )
        .where(RolePermission.tenant_id == account, Permission.retired_at.is_(None))
    )
    if role_ids is not None:
        roles = roles.where(Role.id.in_(role_ids))
        ticks = ticks.where(RolePermission.role_id.in_(role_ids))
    ticked: dict[UUID, set[Right]] = defaultdict(set)
    for role_id, application, permission in session.execute(ticks):
        ticked[role_id].add(Right(application, permission))
    found = [
        RoleSummary(*row, ticks=frozenset(ticked[row.id])) for row in session.execute(roles).all()
    ]
    return sorted(found, key=lambda role: (not role.is_admin, in_order(role.name)))


def sure(session: Session, account: str, role_id: UUID) -> RoleSummary:
    """The account's role with this id; raises NotFound."""
    found = all_of(session, account, [role_id])
    if not found:
        raise NotFound(f"no role {role_id} in {account}")
    return found[0]


def tick(session: Session, account: str, role_id: UUID, rights: Collection[Right]) -> None:
    """Add these to what a role has."""
    if rights:
        session.execute(
            insert(_TICKS),
            [
                {
                    "tenant_id": account,
                    "role_id": role_id,
                    "application_id": right.application,
                    "permission": right.permission,
                }
                for right in sorted(rights)
            ],
        )


def untick(session: Session, account: str, role_id: UUID, rights: Collection[Right]) -> None:
    """Take these from what a role has."""
    for application, names in by_application(rights).items():
        session.execute(
            delete(RolePermission).where(
                RolePermission.tenant_id == account,
                RolePermission.role_id == role_id,
                RolePermission.application_id == application,
                RolePermission.permission.in_(names),
            )
        )


def by_application(rights: Collection[Right]) -> dict[str, list[str]]:
    """Names of permissions, under the applications that they are of."""
    names: dict[str, list[str]] = defaultdict(list)
    for right in sorted(rights):
        names[right.application].append(right.permission)
    return dict(names)
