"""«Uprawnienia»: the grid of an account's permissions and roles, shown and left as it is ticked (TEN-8)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.applications import service as applications
from tenants.applications.service import PermissionSummary
from tenants.roles import service
from tenants.roles.power import Actor, Right
from tenants.roles.rows import RoleSummary


@dataclass(frozen=True)
class GridApplication:
    """The lines of the grid that belong to one application."""

    id: str
    name: str
    permissions: tuple[PermissionSummary, ...]


@dataclass(frozen=True)
class RoleGrid:
    """Permissions down, roles across; `RoleSummary.has` says what is ticked."""

    applications: tuple[GridApplication, ...]
    roles: tuple[RoleSummary, ...]


def leave(
    session: Session,
    account: str,
    cells: Mapping[UUID, Collection[Right]],
    *,
    actor: Actor,
    now: datetime,
) -> list[RoleSummary]:
    """The grid as somebody leaves it: for each of these roles, all that is ticked."""
    return [
        service.change(session, account, role_id, rights=rights, actor=actor, now=now)
        for role_id, rights in sorted(cells.items())
    ]


def read(session: Session, account: str, *, actor: Actor) -> RoleGrid:
    """All roles, and all permissions of the applications that the account has."""
    roles = service.listed(session, account, actor=actor)
    lines: dict[str, list[PermissionSummary]] = defaultdict(list)
    for permission in applications.declared(session).values():
        lines[permission.right.application].append(permission)
    return RoleGrid(
        applications=tuple(
            GridApplication(one.id, one.name, tuple(lines[one.id]))
            for one in applications.given_to(session, account)
            if one.id in lines
        ),
        roles=tuple(roles),
    )
