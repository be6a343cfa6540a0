"""The gate of the API: who asks, in which account, and whether they may."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kernel.api import Demand, Forbidden, Quota, ScopeMissing, Unauthenticated
from kernel.api.problems import REALM, BadCredentials
from kernel.errors import NotFound
from kernel.limits import Window
from tenants.api.callers import Authenticators, Caller
from tenants.api.demands import AccountDemand, Where
from tenants.roles.power import NOTHING, may, reach

PER_CALLER = Window("caller", limit=600, every=timedelta(minutes=1))
PER_ACCOUNT = Window("account", limit=6_000, every=timedelta(minutes=1))

_LONGEST_CREDENTIAL = 16_384
FRESH = timedelta(minutes=10)
"""How old a sign-in may be for what can't be undone (SECURITY 12.8)."""


class WrongCredentials(Forbidden):
    """These credentials are not taken here: the description says which are."""

    reason = "credentials_unsuitable"


class SignInTooOld(Unauthenticated):
    """The person has to sign in anew for this."""

    reason = "sign_in_too_old"
    challenge = (
        f'{REALM}, error="insufficient_user_authentication", max_age={int(FRESH.total_seconds())}'
    )


class Gate:
    """Enforces what the operations demand."""

    def __init__(self, authenticators: Authenticators) -> None:
        self._authenticators = authenticators

    def who(self, authorization: str | None, *, now: datetime) -> Caller:
        """Who asks; raises Unauthenticated."""
        if authorization is None:
            raise Unauthenticated
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not 0 < len(credential) <= _LONGEST_CREDENTIAL:
            raise Unauthenticated("not one Bearer credential")
        for authenticator in self._authenticators:
            caller = authenticator(credential, now=now)
            if caller is not None:
                return caller
        raise BadCredentials("nobody knows this kind")

    def name(self, caller: Caller) -> str:
        """Whose requests these are: one person in two contexts, or by two programs, is told apart.

        What was answered in the context of the account is not repeated in that of one company.
        """
        return f"{caller.company or ''}/{_counted(caller)}"

    def quotas(self, caller: Caller) -> Sequence[Quota]:
        """A caller's own, then what all callers of an account have together."""
        found = [Quota(f"api:{_counted(caller)}", PER_CALLER)]
        if caller.account is not None:
            found.append(Quota(f"api:{caller.account}", PER_ACCOUNT))
        return found

    def admit(self, caller: Caller, demand: Demand, place: Mapping[str, Any]) -> None:
        """Let the caller through; raises Forbidden for what they may not, NotFound for where."""
        if not isinstance(demand, AccountDemand) or caller.kind not in demand.kinds:
            raise WrongCredentials(f"not for a {caller.kind}")
        if demand.is_for_ours and not caller.is_ours:
            raise WrongCredentials(f"not through {caller.client_id}, which is not one of ours")
        scope = demand.scope_for(caller.kind)
        if scope is not None and not {scope, demand.permission} & caller.scopes:
            raise ScopeMissing(scope)
        if demand.where in {Where.ONESELF, Where.NAMED}:
            return
        account = place["account"]
        if account != caller.account:
            # Also where the person is at home in both: the context is what was asked for.
            raise NotFound("the account of the path is not that of the credentials")
        self._admit_in(account, caller, demand, place)

    def _admit_in(
        self, account: str, caller: Caller, demand: AccountDemand, place: Mapping[str, Any]
    ) -> None:
        power = caller.actor.power_in(account)
        if power == NOTHING:
            raise NotFound("no power in this account")
        right = demand.right
        if right is None:
            return
        match demand.where:
            case Where.COMPANY:
                is_held = may(power, right, place["company"])
            case Where.ANYWHERE:
                is_held = bool(reach(power, right))
            case _:
                is_held = may(power, right)
        if not is_held:
            raise Forbidden(f"{caller.actor.id} does not hold {':'.join(right)} there")


def _counted(caller: Caller) -> str:
    return f"{caller.account or ''}/{caller.client_id or ''}/{caller.actor.id}"


def demand_fresh_sign_in(caller: Caller, *, now: datetime) -> None:
    """For what can't be undone: the person proved themselves just now; raises SignInTooOld."""
    if caller.auth_time is None or now - caller.auth_time > FRESH:
        raise SignInTooOld
