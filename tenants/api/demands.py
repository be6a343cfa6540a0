"""What the operations of the API demand: a right in the account, and a way to prove oneself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kernel.api import Demand
from tenants.api.callers import Kind
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS

ACCOUNTS_SCOPE = "accounts"
"""An application may act in the account for the person who allowed it."""
PROVISIONING_SCOPE = "provisioning"
"""An application may create and block people in accounts by itself."""

_SCOPES: Mapping[Kind, Sequence[str]] = {
    Kind.PERSON: (ACCOUNTS_SCOPE,),
    Kind.KEY: (),
    Kind.CLIENT: (PROVISIONING_SCOPE,),
}


class Where(StrEnum):
    """On what the right has to be held."""

    ONESELF = "oneself"
    """No right is asked for: it is about the person who asks, whatever the context of the token."""
    NAMED = "named"
    """No right is asked for here: the request names accounts, and the operation decides about each."""
    MEMBERSHIP = "membership"
    """No right is asked for, in the account of the token or the key."""
    ACCOUNT = "account"
    COMPANY = "company"
    """On the company of the path, or on the whole account."""
    ANYWHERE = "anywhere"
    """On the whole account or on some of its companies; the answer shows no more than that."""


_WORDS = {
    Where.ACCOUNT: "on the account",
    Where.COMPANY: "on the company or the account",
    Where.ANYWHERE: "on the account or on some of its companies, of which alone it then tells",
}


@dataclass(frozen=True, kw_only=True)
class AccountDemand(Demand):
    """A demand as our gate reads it."""

    where: Where
    kinds: frozenset[Kind]
    is_for_ours: bool = False
    """Whether a person asks through one of our own programs, or not at all."""

    @property
    def right(self) -> Right | None:
        return Right(ACCOUNTS, self.permission) if self.permission is not None else None

    def scope_for(self, kind: Kind) -> str | None:
        """The scope that a token of this kind needs."""
        return next(iter(_SCOPES[kind]), None)


def on_account(permission: str, *kinds: Kind) -> AccountDemand:
    """The right in the whole account."""
    return _demand(permission, Where.ACCOUNT, kinds)


def on_company(permission: str, *kinds: Kind) -> AccountDemand:
    """The right on the company that the path names."""
    return _demand(permission, Where.COMPANY, kinds)


def anywhere(permission: str, *kinds: Kind) -> AccountDemand:
    """The right on the account or on any company; the operation narrows what it shows and does."""
    return _demand(permission, Where.ANYWHERE, kinds)


def membership() -> AccountDemand:
    """No right: every active member, and every key, of the account."""
    return _without_right(
        "For every active member of the account.", Where.MEMBERSHIP, (Kind.PERSON, Kind.KEY)
    )


def oneself() -> AccountDemand:
    """No right: it is about the person who asks. What it tells ends where the token's context does."""
    return _without_right("For everybody, about themselves.", Where.ONESELF, (Kind.PERSON,))


def by_ours(demand: AccountDemand) -> AccountDemand:
    """The same demand, of people who ask through one of our own programs.

    For what stays when a person takes back what they let an application do: accounts taken, left or
    made, keys, who has the account. Nobody who let some application work in an account allowed that.
    """
    return replace(
        demand,
        words=f"{demand.words} Through the installation's own applications alone.",
        is_for_ours=True,
    )


def by_itself() -> AccountDemand:
    """An application acts for itself, in the accounts that have it."""
    return _without_right(
        "For applications themselves, in the accounts that have them.", Where.NAMED, (Kind.CLIENT,)
    )


def _demand(permission: str, where: Where, kinds: Sequence[Kind]) -> AccountDemand:
    taken = kinds or (Kind.PERSON, Kind.KEY)
    return AccountDemand(
        permission=permission,
        words=f"Needs {permission} {_WORDS[where]}.",
        schemes={kind.value: _SCOPES[kind] for kind in taken},
        where=where,
        kinds=frozenset(taken),
    )


def _without_right(words: str, where: Where, kinds: Sequence[Kind]) -> AccountDemand:
    return AccountDemand(
        permission=None,
        words=words,
        schemes={kind.value: _SCOPES[kind] for kind in kinds},
        where=where,
        kinds=frozenset(kinds),
    )
