"""The metadata document: honest lists of what works, and nothing that is still to come."""

import json
from functools import lru_cache
from typing import Any

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.authorize.request import RESPONSE_MODES
from idp.clients.service import AUTH_METHODS, GRANT_TYPES, NONE
from idp.keys.service import ALGORITHMS
from idp.protocol import acr, claims, jwt, prompts, scopes
from kernel.i18n import LANGUAGES

CACHE_CONTROL = "public, max-age=3600"


def metadata(issuer: str) -> dict[str, Any]:
    """What both documents say."""
    confidential = [method for method in AUTH_METHODS if method != NONE]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/end-session",
        "scopes_supported": [scope for scope in scopes.OF_OPENID if scope != scopes.ADDRESS],
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(reversed(ALGORITHMS)),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(jwt.ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": list(jwt.ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(jwt.ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": list(prompts.KNOWN),
        "acr_values_supported": list(acr.LOWEST_FIRST),
        "claims_supported": list(claims.SUPPORTED),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": sorted(LANGUAGES),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


@lru_cache(maxsize=4)
def as_bytes(issuer: str) -> bytes:
    """The document as it is served."""
    return json.dumps(metadata(issuer), separators=(",", ":")).encode()


def check(issuer: str) -> None:
    """Let Authlib compare the document with both specifications; raises ValueError.

    Its rules want https, which an issuer on loopback has not.
    """
    safe = metadata("https://" + issuer.partition("://")[2])
    OpenIDProviderMetadata(safe).validate()
    AuthorizationServerMetadata(safe).validate()
