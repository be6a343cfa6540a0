"""What somebody may do in an account, and what they may give to others. Pure.

Power has three scopes: the installation (the operator), an account, a company of it. Whoever gives,
gives within a scope, and only what they hold there: `why_not_grant` decides that for roles, their
assignments, invitations, API keys and provisioning alike.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from kernel.errors import NotFound, Refused
from tenants.applications.rights import Right

if TYPE_CHECKING:
    # A standing is read by what stands above roles; here is only said what follows from one.
    from tenants.standing.service import Standing

__all__ = [
    "ALL",
    "NOTHING",
    "OPERATOR",
    "Actor",
    "All",
    "MayNotGrant",
    "NotPermitted",
    "Power",
    "Reach",
    "Right",
    "demand",
    "is_application",
    "may",
    "narrowed",
    "on_one_company",
    "power_of",
    "reach",
    "why_not_grant",
]


class All(Enum):
    """The rights of the admin role: every one that there is, and every one that will be."""

    ALL = "all"


ALL: Final = All.ALL

Rights = Collection[Right] | All


class NotPermitted(Refused):
    """Whoever asks may look at this account, and may not do this in it."""

    status = 403
    reason = "not_permitted"


class MayNotGrant(Refused):
    """Nobody gives, or changes the hands of, what they do not hold themselves (SECURITY 12.4)."""

    status = 403
    reason = "may_not_grant"


@dataclass(frozen=True)
class Power:
    """What somebody may do, in one account. Without anything said: nothing."""

    account: str | None = None
    """Where it holds; the operator's has no such limit."""
    installation: bool = False
    is_admin: bool = False
    on_account: frozenset[Right] = frozenset()
    """What they may do in the whole account, each of its companies with it."""
    on_companies: Mapping[str, frozenset[Right]] = field(default_factory=dict)
    admin_of: frozenset[str] = frozenset()
    """The companies where they have the admin role, which has every right there."""
    kept: frozenset[Right] = frozenset()
    """What they use and pass on to nobody: an application manages people, and makes no managers."""


NOTHING = Power()
OPERATOR = Power(installation=True)


@dataclass(frozen=True)
class Actor:
    """Who does something, as the ledger names them, and what they may do."""

    id: str
    """`person:<id>`, `client:<id>`, `key:<id>` or `operator`."""
    power: Power

    def power_in(self, account: str) -> Power:
        """What they may do in this account: nothing, where their power is another account's."""
        if self.power.installation or self.power.account == account:
            return self.power
        return NOTHING


@dataclass(frozen=True)
class Reach:
    """Where a right holds: in the whole account, or on some of its companies alone."""

    whole: bool
    companies: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.whole or bool(self.companies)


def is_application(actor_id: str) -> bool:
    """Whether who is named so is a program that acts for itself: nobody else decided.

    >>> is_application("client:0b9c"), is_application("key:0b9c"), is_application("operator")
    (True, False, False)
    """
    return actor_id.startswith("client:")


def power_of(standing: "Standing | None") -> Power:
    """What follows from how a person stands in an account, now.

    Nothing, unless the account, the person and the membership are active. Being a client is no power.
    """
    if standing is None or standing.member_state != "active":
        return NOTHING
    if standing.account_status != "active" or not standing.person_is_active:
        return NOTHING
    on_account: set[Right] = set()
    on_companies: dict[str, set[Right]] = {}
    for role in standing.roles:
        held = on_account if role.company is None else on_companies.setdefault(role.company, set())
        held.update(role.rights)
    admin_of = {role.company for role in standing.roles if role.is_admin}
    return Power(
        account=standing.account,
        is_admin=None in admin_of,
        on_account=frozenset(on_account),
        on_companies={company: frozenset(rights) for company, rights in on_companies.items()},
        admin_of=frozenset(company for company in admin_of if company is not None),
    )


def may(power: Power, right: Right, company: str | None = None) -> bool:
    """Whether this power has the right on the company, or, without one, in the whole account."""
    if power.installation or power.is_admin or right in power.on_account:
        return True
    if company is None:
        return False
    return company in power.admin_of or right in power.on_companies.get(company, frozenset())


def reach(power: Power, right: Right) -> Reach:
    """Where this power has the right: what a list shows of an account."""
    if may(power, right):
        return Reach(whole=True)
    holding = {company for company, rights in power.on_companies.items() if right in rights}
    return Reach(whole=False, companies=power.admin_of | holding)


def why_not_grant(power: Power, rights: Rights, *, company: str | None) -> str | None:
    """Say why whoever has this power may not give these rights there, or None when they may.

    To change or take away is to give, too: a role, before and after, must be within one's power.
    `company` is where the rights will hold; None: in the whole account.
    """
    if power.installation or power.is_admin:
        return None
    if company is None and not power.on_account:
        return "a power over companies does not touch the whole account"
    if company is not None and company in power.admin_of:
        return None
    if rights is ALL:
        return "the admin role is given by an admin alone"
    if not power.on_account and not (company and power.on_companies.get(company)):
        return "no power over this company"
    missing = sorted(
        right for right in rights if right in power.kept or not may(power, right, company)
    )
    if missing:
        return f"does not hold {', '.join(':'.join(right) for right in missing)}"
    return None


def narrowed(power: Power, rights: Collection[Right]) -> Power:
    """What is left of a power where only these rights may be used: an API key's, a program's.

    It is nobody's admin any more, whatever is in the list.
    """
    left = frozenset(rights)
    on_companies = {company: held & left for company, held in power.on_companies.items()}
    on_companies.update(dict.fromkeys(power.admin_of, left))
    return Power(
        account=power.account,
        on_account=left if power.is_admin else power.on_account & left,
        on_companies=on_companies,
        kept=power.kept,
    )


def on_one_company(power: Power, company: str) -> Power:
    """What is left of a power in the context of one company: what it is there, and nothing elsewhere.

    Who is an admin of the whole account is one of this company alone; what is held on the account
    counts here as on each of its companies, and does not touch the account.
    """
    is_admin = power.is_admin or company in power.admin_of
    held = power.on_account | power.on_companies.get(company, frozenset())
    return Power(
        account=power.account,
        on_companies={company: held},
        admin_of=frozenset({company} if is_admin else ()),
        kept=power.kept,
    )


def demand(actor: Actor, account: str, right: Right, company: str | None = None) -> Power:
    """The actor's power in the account, if it has the right there; raises NotFound, NotPermitted."""
    power = actor.power_in(account)
    if power == NOTHING:
        raise NotFound(f"{actor.id} has no power in this account")
    if not may(power, right, company):
        raise NotPermitted(f"{actor.id} does not hold {':'.join(right)} there")
    return power
