"""Claims about a person (OpenID Connect Core §5.1), and which scope brings which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.protocol import scopes

OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    scopes.PROFILE: (
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    scopes.EMAIL: ("email", "email_verified"),
    scopes.PHONE: ("phone_number", "phone_number_verified"),
    scopes.ADDRESS: ("address",),
}


@dataclass(frozen=True)
class PersonalFacts:
    """What we know of a person that a claim can say."""

    subject: str
    email: str
    given_name: str | None = None
    family_name: str | None = None
    phone: str | None = None
    locale: str | None = None
    zoneinfo: str | None = None
    picture: str | None = None
    updated_at: datetime | None = None


def for_scopes(facts: PersonalFacts, granted: Iterable[str]) -> dict[str, Any]:
    """The claims that these scopes bring. What is unknown is left out, never null or empty."""
    wanted = {claim for scope in granted for claim in OF_SCOPE.get(scope, ())}
    known = {name: value for name, value in _all(facts).items() if name in wanted and value}
    if "phone_number" in known:
        # Nobody has rung yet.
        known["phone_number_verified"] = False
    return {"sub": facts.subject} | known


def _all(facts: PersonalFacts) -> dict[str, Any]:
    names = [name for name in (facts.given_name, facts.family_name) if name]
    return {
        "name": " ".join(names),
        "given_name": facts.given_name,
        "family_name": facts.family_name,
        "picture": facts.picture,
        "zoneinfo": facts.zoneinfo,
        "locale": facts.locale,
        "updated_at": int(facts.updated_at.timestamp()) if facts.updated_at else None,
        "email": facts.email,
        # An ID exists only for a proven address.
        "email_verified": True,
        "phone_number": facts.phone,
    }


SUPPORTED = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "name",
    "given_name",
    "family_name",
    "picture",
    "zoneinfo",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "tenant_id",
    "tenant_name",
    "company_id",
    "company_name",
    "roles",
    "permissions",
)
