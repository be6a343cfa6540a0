"""What the first start on one machine makes: signing keys, our own applications, demo people."""

import json
from typing import Any

from flask import Flask
from joserfc.jwk import ECKey
from pydantic import Field, SecretStr
from sqlalchemy.orm import Session

from idp import our_applications
from idp.cli.application import in_application
from idp.clients import service as clients
from idp.demo import accounts
from idp.demo import service as demo
from idp.keys.service import ensure_keys
from idp.protocol import scopes
from idp.settings import IdentitySettings
from kernel import clock
from kernel.settings import Settings
from tenants.api.demands import ACCOUNTS_SCOPE, PROVISIONING_SCOPE
from tenants.database import db

OUR_SCOPES = (scopes.OPENID, scopes.PROFILE, scopes.EMAIL, ACCOUNTS_SCOPE)
# The CRM also brings its clients into the panel, by itself (CRM-3).
_SCOPES = {our_applications.CRM: (*OUR_SCOPES, PROVISIONING_SCOPE)}


class OurClientKeys(Settings):
    """The private keys of our own applications, where one machine holds them all."""

    portal_client_key: SecretStr = Field(
        SecretStr(""), description="Private key (JWK, P-256) with which the portal proves itself"
    )
    crm_client_key: SecretStr = Field(
        SecretStr(""), description="Private key (JWK, P-256) with which the CRM proves itself"
    )


@in_application
def prepare() -> None:
    """Make what is missing. Doing it again changes nothing but addresses that were set anew."""
    settings, now = IdentitySettings(), clock.now()
    ensure_keys(now=now)
    with db.transaction() as session:
        our_applications.declare(session, settings, now=now)
    keys = OurClientKeys()
    _register("portal", "Portal", settings.portal_url, keys.portal_client_key, settings)
    _register("crm", "CRM", settings.crm_url, keys.crm_client_key, settings)
    if not settings.production:
        demo.ensure(now=now)
        accounts.ensure(now=now)


def refusals(session: Session) -> list[str]:
    """What in the database keeps the identity program from starting in production."""
    return ["the database holds demo people"] if demo.exist(session) else []


def refusals_of(app: Flask) -> list[str]:
    """The same for an application that is about to serve."""
    with app.app_context(), db.reading() as session:
        return refusals(session)


def _register(
    client_id: str, name: str, url: str, key: SecretStr, settings: IdentitySettings
) -> None:
    """Register one of our applications, or bring its registration to the present settings."""
    if not key.get_secret_value():
        return
    wanted: dict[str, Any] = {
        "name": name,
        "application": client_id,
        "first_party": True,
        "token_endpoint_auth_method": clients.PRIVATE_KEY_JWT,
        "grant_types": clients.GRANT_TYPES,
        "redirect_uris": (f"{url}/callback",),
        "post_logout_redirect_uris": (f"{url}/signed-out",),
        "backchannel_logout_uri": f"{url}/backchannel-logout",
        "security_events_uri": f"{url}/security-events",
        "scopes": _SCOPES.get(client_id, OUR_SCOPES),
        "audiences": (f"{settings.issuer}/api", settings.crm_url, settings.portal_url),
        "serves": (url,),
        "id_token_signed_response_alg": "ES256",
        "access_token_signed_response_alg": "ES256",
        "jwks": {"keys": [public_jwk(key.get_secret_value())]},
    }
    now = clock.now()
    with db.transaction() as session:
        found = clients.find(session, client_id)
        if found is None:
            clients.register(session, client_id=client_id, now=now, **wanted)
            return
        changed = {
            name: value for name, value in wanted.items() if differs(getattr(found, name), value)
        }
        if changed:
            clients.update_metadata(session, client_id, now=now, **changed)


def differs(present: object, wanted: object) -> bool:
    """Whether a registered value is another one; the order of a set of words means nothing.

    >>> differs(frozenset({"a", "b"}), ("b", "a")), differs(("a",), ("b",))
    (False, True)
    """
    if isinstance(present, frozenset) and isinstance(wanted, tuple):
        return present != frozenset(wanted)
    return present != wanted


def public_jwk(private_jwk: str) -> dict[str, Any]:
    """The public half of a private JWK, with its thumbprint as `kid`."""
    key = ECKey.import_key(json.loads(private_jwk))
    key.ensure_kid()
    return dict(key.as_dict(private=False))
