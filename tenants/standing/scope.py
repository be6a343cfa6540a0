"""What of a standing counts where: on the whole account, or on one company. Pure."""

from datetime import datetime, timedelta

from tenants.applications.rights import Right
from tenants.standing.service import ACTIVE, HeldRole, Standing


def roles_in(standing: Standing, company: str | None) -> tuple[HeldRole, ...]:
    """The roles that count on this company, or on the account as a whole.

    What is held on one company says nothing of the account. What is held on the account counts on
    each of its companies.
    """
    return tuple(role for role in standing.roles if role.company in (None, company))


def rights_in(standing: Standing, company: str | None) -> frozenset[Right]:
    """All rights that the person has there."""
    found: set[Right] = set()
    for role in roles_in(standing, company):
        if not role.is_admin:
            found |= role.rights
        elif role.company is None:
            found |= standing.all_rights
        else:
            found |= standing.all_company_rights
    return frozenset(found)


def reaches(standing: Standing, company: str) -> bool:
    """Whether the person has to do with this company at all: holds a role there, or on the account.

    Says nothing of whether there is such a company.
    """
    return bool(roles_in(standing, company))


def asks_for_strong(standing: Standing, company: str | None) -> bool:
    """Whether a sign-in has to be stronger here than a code by mail (ID-6)."""
    return standing.wants_strong or any(role.wants_strong for role in roles_in(standing, company))


def why_not_there(
    standing: Standing | None, *, application: str | None, company: str | None
) -> str | None:
    """Say why there is no such context for this person, or None when there is.

    For our logs: people and applications are told the same, whatever the reason.
    """
    if standing is None:
        return "no such account for this person"
    if standing.account_status != ACTIVE:
        return "the account is not active"
    if not standing.person_is_active:
        return "the person may not sign in"
    if standing.member_state != ACTIVE:
        return "the person is no active member"
    if application is not None and application not in standing.applications:
        return "the account does not have the application"
    if company is not None and standing.company != company:
        return "no such company, or it is archived"
    if company is not None and not reaches(standing, company):
        return "the person has nothing to do with the company"
    return None


def why_too_old(standing: Standing, *, auth_time: datetime, now: datetime) -> str | None:
    """Say why a sign-in of that moment does not count in this account, or None when it does."""
    if standing.signed_out_at is not None and auth_time <= standing.signed_out_at:
        return "the account ended the member's sessions"
    hours = standing.sign_in_hours
    if hours is not None and now - auth_time > timedelta(hours=hours):
        return "the sign-in is older than the account allows"
    return None
