"""An account with one of everything, each thing named so that it is recognised wherever it appears."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from kernel.crypto import new_token
from kernel.database.scopes import TENANT_COLUMN, tenant_tables
from kernel.ids import new_id
from tenants.applications.own import PERMISSIONS
from tenants.audit import LedgerEntry, account_chain
from tenants.database import Base, db
from tenants.facts.models import Fact
from tests.tenants import making
from tests.tenants.api.speaking import Speaker, World

# When a key was used last is noted whatever it was used for.
_PASSING = {"last_used_at"}


@dataclass
class Estate:
    """The account, what is on it by the slot that names it in requests, and its people."""

    world: World
    canary: str
    account: making.Made
    slots: dict[str, str]
    admin: Speaker
    key: Speaker
    """A program of the account, with a key that may do whatever a key can."""
    secrets: list[str] = field(default_factory=list)
    """What must not be seen outside: the canary, and every identifier on the account."""

    def digest(self) -> str:
        """What stands in the database about the account, in short."""
        found = hashlib.sha256()
        for row in self._rows():
            found.update(repr(row).encode())
        return found.hexdigest()

    def _rows(self) -> Iterator[tuple[object, ...]]:
        account = self.account.id
        with db.reading(tenant=account) as session:
            for table in sorted(tenant_tables(Base.metadata), key=lambda each: each.name):
                kept = [column for column in table.c if column.name not in _PASSING]
                rows = session.execute(select(*kept).where(table.c[TENANT_COLUMN] == account))
                yield from sorted((tuple(row) for row in rows), key=repr)
            told = session.execute(
                select(Fact.id, Fact.kind).where(Fact.account == account).order_by(Fact.id)
            )
            yield from (tuple(row) for row in told)
            written = session.execute(
                select(LedgerEntry.id)
                .where(LedgerEntry.chain == account_chain(account))
                .order_by(LedgerEntry.id)
            )
            yield from (tuple(row) for row in written)


def an_estate(world: World) -> Estate:
    """One of everything; every name, address and number in it carries the canary."""
    canary = f"canary{new_token(96).lower().replace('_', '').replace('-', '')}"
    # An application that no other account has.
    own = making.an_application(canary)
    account = making.an_account(
        f"{canary} account", town=canary, street=canary, applications=["crm", own]
    )
    person = making.a_person(f"{canary}.user@example.com")
    company = making.a_company(account.id, f"{canary} company", town=canary)
    role = making.a_role(account.id, f"{canary} role", rights=[("accounts", "companies:read")])
    user = making.a_member(
        account.id, person, given_name=canary, family_name=canary, accepted_at=making.LONG_AGO
    )
    client = making.a_client(
        account.id, making.a_person(f"{canary}.client@example.com"), given_name=canary
    )
    admin = world.admin(account)
    key = _a_key(admin, account, f"{canary} key")
    invitation = _an_invitation(admin, account, canary)
    webhook, delivery = _a_webhook(admin, account, canary)
    slots = {
        "account": account.id,
        "company": company,
        "role": str(role),
        "role_id": str(role),
        "user": str(user),
        "client": str(client),
        "person_id": str(person),
        "key": key["id"],
        "invitation": invitation,
        "webhook": webhook,
        "delivery": delivery,
        "delivery_ids": delivery,
    }
    return Estate(
        world=world,
        canary=canary,
        account=account,
        slots=slots,
        admin=admin,
        key=Speaker(world.app.test_client(), key["key"]),
        secrets=[canary, *(value for slot, value in slots.items() if slot != "account")],
    )


def _a_key(admin: Speaker, account: making.Made, name: str) -> dict[str, str]:
    # No key manages keys (SECURITY 12.7).
    permissions = [each.name for each in PERMISSIONS if each.name != "api-keys:manage"]
    made = admin.post(
        f"/accounts/{account.id}/api-keys", json={"name": name, "permissions": permissions}
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    return dict(made.json or {})


def _an_invitation(admin: Speaker, account: making.Made, canary: str) -> str:
    made = admin.post(
        f"/accounts/{account.id}/invitations",
        json={"email": f"{canary}.invited@example.com", "given_name": canary},
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    return str(made.json["id"])


def _a_webhook(admin: Speaker, account: making.Made, canary: str) -> tuple[str, str]:
    path = f"/accounts/{account.id}/webhooks"
    made = admin.post(path, json={"url": f"https://{canary}.example.com/", "description": canary})
    assert made.status_code == 201, made.get_data(as_text=True)
    webhook = made.json["id"]
    sent = admin.post(f"{path}/{webhook}/test")
    return webhook, sent.json["delivery_id"]


def nothing_of_the_kind(slot: str) -> str:
    """An identifier that nothing has."""
    made_up = {"account": 12, "company": 16}
    if slot in made_up:
        return UUID(int=new_id().int).hex[-made_up[slot] :]
    return str(new_id())
