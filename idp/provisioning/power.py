"""What an application may do in an account that has it: manage people, and give its own permissions.

It passes on no more than that: roles whose every permission is its own. Never the admin role, and
never a role with permissions of the accounts' own API.
"""

from sqlalchemy.orm import Session

from idp.clients import service as clients
from kernel.errors import NotFound
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended, Status
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS
from tenants.members.authority import MANAGE, READ
from tenants.roles.power import Actor, Power

_MANAGING = frozenset({*MANAGE.values(), *READ.values()})


def acting(session: Session, account: str, *, client_id: str) -> Actor:
    """The application as an actor; raises AccountSuspended, and NotFound where it is not at home.

    It is read anew for each request: an account that lost the application is out of its reach at once.
    """
    client = clients.find(session, client_id)
    application = client.application if client is not None else None
    having = {one.id for one in applications.given_to(session, account)} - {ACCOUNTS}
    if application not in having:
        raise NotFound(f"{account} does not have the application of {client_id}")
    found = accounts.find(session, account)
    if found is None or found.status == Status.CLOSED:
        raise NotFound(f"no account {account}")
    if not found.is_active:
        raise AccountSuspended(f"{account} is {found.status}")
    own = {right for right in applications.declared(session) if right.application == application}
    return Actor(
        f"client:{client_id}",
        Power(account=account, on_account=_MANAGING | own, kept=_MANAGING),
    )
