"""Roles of an account and the grid of their permissions («uprawnienia»), and its applications."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kernel.api import Answer, Asked, Call, Change, Moment, OneLine, Reply
from tenants.accounts.service import AccountSuspended
from tenants.api.accounts import SecondFactor
from tenants.api.callers import Caller
from tenants.api.demands import membership, on_account
from tenants.api.me import Labels
from tenants.api.rest import ROLE, AccountId, api, at
from tenants.applications import service as applications
from tenants.applications.rights import Right
from tenants.database import db
from tenants.members import listing as members
from tenants.roles import grid
from tenants.roles import service as roles
from tenants.roles.power import MayNotGrant
from tenants.roles.rows import RoleSummary
from tenants.roles.service import AdminRole, NameTaken, NotARole, RoleInUse

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"
_MOST_PERMISSIONS = 1_000

RoleId = Annotated[UUID, Field(description="The role's id", examples=[_EXAMPLE])]
RoleName = Annotated[str, Field(max_length=100, examples=["Sprzedaż"]), OneLine]


class TickedPermission(Answer):
    """A permission of an application."""

    application: str
    permission: str


class WantedPermission(Asked):
    """A permission of an application."""

    application: Annotated[
        str, StringConstraints(pattern="^[a-z0-9-]{1,64}$"), Field(examples=["crm"])
    ]
    permission: Annotated[
        str, StringConstraints(pattern="^[a-z:-]{1,64}$"), Field(examples=["contacts:read"])
    ]


WantedPermissions = Annotated[
    list[WantedPermission],
    Field(
        max_length=_MOST_PERMISSIONS,
        examples=[[{"application": "crm", "permission": "contacts:read"}]],
    ),
]


class Role(Answer):
    """A role of the account."""

    id: UUID
    name: str
    is_admin: bool = Field(description="It has every permission, and can't be changed or removed")
    second_factor: str = Field(description="strong: who holds it needs more than a mailed code")
    permissions: list[TickedPermission] = Field(description="An admin role lists none: it has all")
    users: int = Field(description="How many users hold it, anywhere in the account")
    version: int
    created_at: Moment
    updated_at: Moment


class Roles(Answer):
    """All roles, the admin role first, then by name."""

    items: list[Role]


class RoleDraft(Asked):
    """A role that is to be made."""

    name: RoleName
    second_factor: SecondFactor = Field("default", examples=["default"])
    permissions: WantedPermissions


class RoleChange(Change):
    """What is to be changed of a role; what is left out stays."""

    name: RoleName = ""
    second_factor: SecondFactor = "default"
    permissions: WantedPermissions = Field(default_factory=list)


class GridPermission(Answer):
    """A line of the grid."""

    permission: str
    labels: Labels
    level: str = Field(description="account: it means nothing on one company alone")


class GridApplication(Answer):
    """The lines of one application."""

    id: str
    name: str
    permissions: list[GridPermission]


class Grid(Answer):
    """The permissions of all applications that the account has."""

    applications: list[GridApplication]


class RoleTicks(Asked):
    """All that is ticked for one role."""

    role_id: RoleId
    permissions: WantedPermissions


class GridChange(Asked):
    """The grid as somebody leaves it: for each role that is named, all that is ticked."""

    roles: Annotated[
        list[RoleTicks],
        Field(
            min_length=1,
            max_length=200,
            examples=[
                [
                    {
                        "role_id": _EXAMPLE,
                        "permissions": [{"application": "crm", "permission": "contacts:read"}],
                    }
                ]
            ],
        ),
    ]


class HeldApplication(Answer):
    """An application that the account has."""

    id: str
    name: str
    audience: str = Field(description="Whom tokens for its API name (aud)")
    context: str = Field(description="What a sign-in to it names: none, account or company")
    for_every_account: bool


class HeldApplications(Answer):
    """All applications that the account has."""

    items: list[HeldApplication]


@api.get("/accounts/{account}/applications", tag=ROLE, demand=membership())
def list_applications(call: Call[Caller], account: AccountId) -> HeldApplications:
    """List the applications that the account has."""
    with db.reading(tenant=account) as session:
        found = applications.given_to(session, account)
    return HeldApplications(items=[HeldApplication.of(one) for one in found])


@api.get("/accounts/{account}/permissions", tag=ROLE, demand=on_account("roles:read"))
def get_permissions(call: Call[Caller], account: AccountId) -> Grid:
    """List the permissions that roles are made of."""
    with db.reading(tenant=account) as session:
        found = grid.read(session, account, actor=call.caller.actor)
    return Grid(
        applications=[
            GridApplication(
                id=one.id,
                name=one.name,
                permissions=[
                    GridPermission(
                        permission=each.right.permission,
                        labels=Labels(en=each.label_en, pl=each.label_pl),
                        level=each.level,
                    )
                    for each in one.permissions
                ],
            )
            for one in found.applications
        ]
    )


@api.put(
    "/accounts/{account}/permissions", tag=ROLE, demand=on_account("roles:manage"),
    refusals=[MayNotGrant, AdminRole, AccountSuspended],
    pointers={NotARole: "/roles"},
)  # fmt: skip
def tick_permissions(call: Call[Caller], account: AccountId, body: GridChange) -> Roles:
    """Tick and untick permissions of several roles at once: all of it, or nothing."""
    cells = {one.role_id: _rights(one.permissions) for one in body.roles}
    with db.transaction(tenant=account) as session:
        changed = grid.leave(session, account, cells, actor=call.caller.actor, now=call.now)
        holders = members.holders(session, account, now=call.now)
    return Roles(items=[_role(one, holders.get(one.id, 0)) for one in changed])


@api.get("/accounts/{account}/roles", tag=ROLE, demand=on_account("roles:read"))
def list_roles(call: Call[Caller], account: AccountId) -> Roles:
    """List all roles of the account."""
    with db.reading(tenant=account) as session:
        found = roles.listed(session, account, actor=call.caller.actor)
        holders = members.holders(session, account, now=call.now)
    return Roles(items=[_role(one, holders.get(one.id, 0)) for one in found])


@api.post(
    "/accounts/{account}/roles", tag=ROLE, demand=on_account("roles:manage"), makes=True,
    gives_version=True, refusals=[MayNotGrant, NameTaken, AccountSuspended, NotARole],
)  # fmt: skip
def create_role(call: Call[Caller], account: AccountId, body: RoleDraft) -> Reply[Role]:
    """Create a role, with permissions that one holds oneself."""
    with db.transaction(tenant=account) as session:
        made = roles.create(
            session,
            account,
            name=body.name,
            rights=_rights(body.permissions),
            second_factor=body.second_factor,
            actor=call.caller.actor,
            now=call.now,
        )
    return Reply(
        _role(made, 0), version=made.version, location=at(f"/accounts/{account}/roles/{made.id}")
    )


@api.get(
    "/accounts/{account}/roles/{role}", tag=ROLE, demand=on_account("roles:read"),
    gives_version=True,
)  # fmt: skip
def get_role(call: Call[Caller], account: AccountId, role: RoleId) -> Reply[Role]:
    """Read a role."""
    with db.reading(tenant=account) as session:
        found = roles.find(session, account, role, actor=call.caller.actor)
        holders = members.holders(session, account, now=call.now)
    return Reply(_role(found, holders.get(role, 0)), version=found.version)


@api.patch(
    "/accounts/{account}/roles/{role}", tag=ROLE, demand=on_account("roles:manage"),
    needs_version=True, refusals=[MayNotGrant, NameTaken, AdminRole, AccountSuspended, NotARole],
)  # fmt: skip
def change_role(
    call: Call[Caller], account: AccountId, role: RoleId, body: RoleChange
) -> Reply[Role]:
    """Change a role's name, second factor or permissions."""
    given = body.given()
    with db.transaction(tenant=account) as session:
        changed = roles.change(
            session,
            account,
            role,
            name=given.get("name"),
            second_factor=given.get("second_factor"),
            rights=_rights(body.permissions) if "permissions" in given else None,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
        holders = members.holders(session, account, now=call.now)
    return Reply(_role(changed, holders.get(role, 0)), version=changed.version)


@api.delete(
    "/accounts/{account}/roles/{role}", tag=ROLE, demand=on_account("roles:manage"),
    needs_version=True, refusals=[MayNotGrant, AdminRole, RoleInUse, AccountSuspended],
)  # fmt: skip
def remove_role(call: Call[Caller], account: AccountId, role: RoleId) -> None:
    """Remove a role that nobody holds."""
    with db.transaction(tenant=account) as session:
        roles.remove(
            session,
            account,
            role,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )


def _rights(wanted: list[WantedPermission]) -> frozenset[Right]:
    return frozenset(Right(each.application, each.permission) for each in wanted)


def _role(role: RoleSummary, users: int) -> Role:
    return Role(
        id=role.id,
        name=role.name,
        is_admin=role.is_admin,
        second_factor=role.second_factor,
        permissions=[
            TickedPermission(application=right.application, permission=right.permission)
            for right in sorted(role.ticks)
        ],
        users=users,
        version=role.version,
        created_at=role.created_at,
        updated_at=role.updated_at,
    )
