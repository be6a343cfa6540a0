"""What a provider says of itself (OpenID Connect Discovery §3): read once, with suspicion."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from relying_party.errors import IdentityUnreachable

PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Metadata:
    """The addresses and abilities that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_issuer_in_responses: bool


def parse(document: bytes, *, issuer: str) -> Metadata:
    """Read the discovery document of this very issuer; raises IdentityUnreachable."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError) as malformed:
        raise IdentityUnreachable("discovery is not JSON") from malformed
    refusal = why_refuse(value, issuer=issuer)
    if refusal:
        raise IdentityUnreachable(refusal)
    return Metadata(
        issuer=value["issuer"],
        authorization_endpoint=value["authorization_endpoint"],
        token_endpoint=value["token_endpoint"],
        userinfo_endpoint=value["userinfo_endpoint"],
        jwks_uri=value["jwks_uri"],
        end_session_endpoint=value.get("end_session_endpoint"),
        names_issuer_in_responses=value.get("authorization_response_iss_parameter_supported")
        is True,
    )


def why_refuse(value: object, *, issuer: str) -> str | None:
    """Say why this document can't be the issuer's, or None when it can.

    The comparison of `issuer` is what keeps one provider from passing off another's endpoints as
    its own (RFC 9700 §4.4).
    """
    if not isinstance(value, Mapping):
        return "discovery is not an object"
    if value.get("issuer") != issuer:
        return "discovery names another issuer"
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        if not _is_as_safe(value.get(name), issuer):
            return f"{name} is missing or less safe than the issuer"
    if "end_session_endpoint" in value and not _is_as_safe(value["end_session_endpoint"], issuer):
        return "end_session_endpoint is less safe than the issuer"
    return None


def _is_as_safe(url: Any, issuer: str) -> bool:
    if not isinstance(url, str) or not url.isascii() or any(letter <= " " for letter in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    allowed = {"https"} if issuer.startswith("https:") else {"https", "http"}
    return parts.scheme in allowed and bool(parts.hostname) and "@" not in parts.netloc
