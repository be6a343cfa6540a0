"""Asking the provider what may be shown of a person (OpenID Connect Core §5.3)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.outgoing import Outgoing, OutgoingError
from relying_party.contexts.context import PERSON, Context
from relying_party.contexts.current import Facts
from relying_party.errors import AccessTokenOver, IdentityUnreachable
from relying_party.provider.published import Provider

_NOTHING = Facts()


@dataclass(frozen=True)
class Userinfo:
    """What we show. None of it says who somebody is; only `subject` does."""

    subject: str
    email: str | None
    name: str | None
    locale: str | None
    zoneinfo: str | None
    context: Context = PERSON
    """The account (and company) that the access token is for."""
    facts: Facts = _NOTHING


def ask(provider: Provider, outgoing: Outgoing, *, access_token: str, now: datetime) -> Userinfo:
    """The person that this access token stands for; raises IdentityUnreachable."""
    try:
        response = outgoing.get(
            provider.metadata(now).userinfo_endpoint,
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
        )
    except OutgoingError as failure:
        raise IdentityUnreachable("userinfo does not answer") from failure
    if response.status == 401:
        raise AccessTokenOver("userinfo takes the access token no more")
    if response.status != 200:
        raise IdentityUnreachable(f"userinfo answered {response.status}")
    return parse(response.body)


def parse(body: bytes) -> Userinfo:
    """Read the answer; what can't be shown is left out."""
    try:
        value = json.loads(body)
        subject = value["sub"]
    except (ValueError, RecursionError, KeyError, TypeError) as malformed:
        raise IdentityUnreachable("userinfo answered something else") from malformed
    if not isinstance(subject, str):
        raise IdentityUnreachable("userinfo names nobody")
    return Userinfo(
        subject=subject,
        email=_shown(value, "email", 320),
        name=_shown(value, "name", 300),
        locale=_shown(value, "locale", 35),
        zoneinfo=_shown(value, "zoneinfo", 64),
        context=_context(value),
        facts=Facts(
            account_name=_shown(value, "tenant_name", 200),
            company_name=_shown(value, "company_name", 200),
            roles=_names(value, "roles"),
            permissions=frozenset(_names(value, "permissions")),
        ),
    )


def _context(value: dict[str, Any]) -> Context:
    account, company = value.get("tenant_id"), value.get("company_id")
    try:
        return Context.read(str(Context(account, company)))
    except ValueError as malformed:
        raise IdentityUnreachable("userinfo names a malformed account") from malformed


def _names(value: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = value.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise IdentityUnreachable(f"userinfo lists {name} in a way that we can't read")
    return tuple(listed)


def _shown(value: dict[str, Any], name: str, longest: int) -> str | None:
    text = value.get(name)
    if not isinstance(text, str) or not text.isprintable():
        return None
    return text.strip()[:longest] or None
