"""API keys at our own API: an account's program, with what the key's owner may do, and no more."""

from datetime import datetime

from kernel.api.problems import BadCredentials
from tenants.api.callers import Caller, Kind
from tenants.api_keys import service as api_keys
from tenants.api_keys.service import Holder
from tenants.api_keys.text import PREFIX
from tenants.database import db
from tenants.roles.power import NOTHING, Actor, narrowed, power_of
from tenants.standing import service as standings


def authenticate(credential: str, *, now: datetime) -> Caller | None:
    """Whose key this is; None for what is no key; raises BadCredentials."""
    if not credential.startswith(f"{PREFIX}_"):
        return None
    with db.glancing() as glance:
        holder = api_keys.believe(glance, credential, now=now)
        if holder is None:
            raise BadCredentials("no key that is good now")
        standing = standings.of(
            glance, account=holder.account, company=None, person_id=holder.owner_id, now=now
        )
    power = power_of(standing)
    if power == NOTHING:
        raise BadCredentials("the key's owner has no power in the account any more")
    _note(holder, now)
    return Caller(
        kind=Kind.KEY,
        actor=Actor(f"key:{holder.key_id}", narrowed(power, holder.rights)),
        scopes=frozenset(),
        account=holder.account,
    )


def _note(holder: Holder, now: datetime) -> None:
    if api_keys.is_to_be_noted(holder, now):
        with db.transaction(tenant=holder.account) as session:
            api_keys.used(session, holder, now=now)
