"""What tokens tell of the context in which they were given (OP-3). Pure."""

import json
from collections.abc import Collection
from typing import Any

from idp.clients.service import RegisteredClient
from idp.grants.state import GrantState
from tenants.standing import scope
from tenants.standing.service import Standing

LONGEST = 4_096
"""More than so many bytes of a list don't go into a token: what is told there instead is where it is."""

WHERE_LISTED = "/userinfo/context"


def place(account: str | None, company: str | None) -> dict[str, Any]:
    """The account and the company alone; nothing where there is no context."""
    if account is None:
        return {}
    return {"tenant_id": account} | ({"company_id": company} if company is not None else {})


def named(standing: Standing | None) -> dict[str, Any]:
    """What to call the account and the company, for whoever shows them; no token carries it."""
    if standing is None:
        return {}
    names = {"tenant_name": standing.account_name, "company_name": standing.company_name}
    return {name: value for name, value in names.items() if value is not None}


def of_grant(
    grant: GrantState,
    client: RegisteredClient,
    *,
    audience: str,
    scopes: Collection[str],
    issuer: str,
) -> dict[str, Any]:
    """What a token of this grant tells its audience; nothing where the grant has no context."""
    if grant.standing is None:
        return {}
    return of(
        grant.standing,
        company=grant.company,
        application=application_of(grant.standing, client, audience=audience, issuer=issuer),
        own_application=client.application,
        scopes=scopes,
    )


def of(
    standing: Standing,
    *,
    company: str | None,
    application: str | None,
    own_application: str | None,
    scopes: Collection[str],
) -> dict[str, Any]:
    """The context, the roles that count there, and what they let the person do in the application.

    `application` is the one that serves the token's audience. What a client of another application
    may know and use of it is what it asked for and may have: a scope called like the application
    stands for all its permissions, one called like a permission for that one.
    """
    roles = scope.roles_in(standing, company)
    permissions = {
        right.permission
        for right in scope.rights_in(standing, company)
        if right.application == application
    }
    if application != own_application and application not in scopes:
        permissions &= set(scopes)
    return {
        **place(standing.account, company),
        "roles": sorted({role.name for role in roles}),
        "permissions": sorted(permissions),
    }


def application_of(
    standing: Standing, client: RegisteredClient, *, audience: str, issuer: str
) -> str | None:
    """The application that tokens for this audience are for; the issuer's are for the client's own."""
    return client.application if audience == issuer else standing.audiences.get(audience)


def for_token(claims: dict[str, Any], *, issuer: str) -> dict[str, Any]:
    """The same, short enough for a token: a list that is too long becomes the place where it is."""
    short = dict(claims)
    for name in ("roles", "permissions"):
        listed = json.dumps(claims[name], separators=(",", ":"))
        if len(listed) > LONGEST:
            del short[name]
            short[f"{name}_uri"] = f"{issuer}{WHERE_LISTED}"
    return short
