"""Registering applications, and finding them as the rest of the program sees them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from consent.oauth import service as consents
from idp.caches import VersionedCache, move_on
from idp.clients import redirect_uris
from idp.clients.models import Client, ClientSecret
from idp.events import ProviderEvent
from idp.protocol import jwt, scopes
from idp.protocol.profiles import PROFILES, STANDARD, Profile
from kernel.crypto import hash_token, new_token
from kernel.database import Reads
from kernel.errors import NotFound, Refused
from kernel.ids import new_id
from kernel.ledger import INSTALLATION
from tenants.applications import service as applications
from tenants.audit import ledger

SECRET_BASIC = "client_secret_basic"  # noqa: S105
SECRET_POST = "client_secret_post"  # noqa: S105
PRIVATE_KEY_JWT = "private_key_jwt"
NONE = "none"
AUTH_METHODS = (SECRET_BASIC, SECRET_POST, PRIVATE_KEY_JWT, NONE)

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105
CLIENT_CREDENTIALS = "client_credentials"
GRANT_TYPES = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)

SIGNING_ALGORITHMS = ("RS256", "ES256")

NO_CONTEXT = "none"
IN_ACCOUNT = "account"
IN_COMPANY = "company"

_NAME = "clients"
# What follows from other rows.
_NOT_REGISTERED = {"id", "secrets", "context"}
# What people read before they agree.
_IDENTITY = ("name", "owner")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
# `sub` of a person is a UUID; no application may look like one (RFC 9700 §4.15).
_LIKE_A_PERSON = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_URIS = 50


class NotRegistrable(Refused):
    """The application can't be registered like this; the detail says what is wrong."""

    reason = "client_refused"


@dataclass(frozen=True)
class Secret:
    """The digest of a client's secret, and when it ends."""

    digest: bytes
    expires_at: datetime | None


@dataclass(frozen=True)
class RegisteredClient:
    """An application as it is registered now."""

    id: str
    name: str
    owner: str | None
    profile: Profile
    first_party: bool
    application_type: str
    token_endpoint_auth_method: str
    grant_types: frozenset[str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    security_events_uri: str | None
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    serves: tuple[str, ...]
    id_token_signed_response_alg: str
    access_token_signed_response_alg: str
    refresh_without_offline_access: bool
    application: str | None
    """The application of accounts that it signs people in to; None: it knows no accounts."""
    context: str
    """What a sign-in to that application has to name: `none`, `account` or `company`."""
    jwks: Mapping[str, Any] | None
    jwks_uri: str | None
    client_uri: str | None
    disabled: bool
    secrets: tuple[Secret, ...]

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret, so that nothing it sends proves who it is."""
        return self.token_endpoint_auth_method == NONE

    @property
    def is_native(self) -> bool:
        return self.application_type == "native"

    @cached_property
    def own_keys(self) -> tuple[jwt.TokenKey, ...]:
        """The public keys that were registered by value."""
        return read_keys(self.jwks or {})


def read_keys(jwks: Mapping[str, Any]) -> tuple[jwt.TokenKey, ...]:
    """The usable keys of a key set; what is no key, or not for signatures, is passed over."""
    listed = jwks.get("keys")
    found = []
    for jwk in listed[:_MOST_URIS] if isinstance(listed, list) else []:
        try:
            found.append(jwt.public_key(jwk if isinstance(jwk, dict) else {}))
        except jwt.NotBelieved:
            continue
    return tuple(found)


def find(at: Reads, client_id: str | None) -> RegisteredClient | None:
    """The application with this id, unless it is unknown or was disabled."""
    if not client_id or not _ID.fullmatch(client_id):
        return None
    found = _cache.get(at, client_id)
    return found if found is not None and not found.disabled else None


def names_of(session: Session, client_ids: Collection[str]) -> dict[str, str]:
    """What these applications are called, the disabled ones too, in one statement."""
    if not client_ids:
        return {}
    rows = session.execute(select(Client.id, Client.name).where(Client.id.in_(client_ids)))
    return {row.id: row.name for row in rows}


def listed(session: Session) -> list[RegisteredClient]:
    """All applications, by name; for operators."""
    ids = session.scalars(select(Client.id).order_by(Client.name, Client.id)).all()
    return [client for client in (_cache.get(session, each) for each in ids) if client]


def hearing(session: Session) -> list[str]:
    """The applications that are told of blocks and changed permissions, in one statement."""
    return list(
        session.scalars(
            select(Client.id)
            .where(Client.security_events_uri.is_not(None), Client.disabled_at.is_(None))
            .order_by(Client.id)
        )
    )


def belonging(session: Session, client_ids: Collection[str]) -> dict[str, str]:
    """To which declared application each of these belongs; those that belong to none are left out."""
    rows = session.execute(
        select(Client.id, Client.application).where(
            Client.id.in_(client_ids), Client.application.is_not(None)
        )
    )
    return {row.id: row.application for row in rows}


def register(
    session: Session,
    *,
    name: str,
    now: datetime,
    client_id: str | None = None,
    owner: str | None = None,
    profile: str = STANDARD,
    first_party: bool = False,
    application_type: str = "web",
    token_endpoint_auth_method: str = SECRET_BASIC,
    grant_types: Sequence[str] = (AUTHORIZATION_CODE, REFRESH_TOKEN),
    redirect_uris: Sequence[str] = (),
    post_logout_redirect_uris: Sequence[str] = (),
    backchannel_logout_uri: str | None = None,
    security_events_uri: str | None = None,
    scopes: Sequence[str] = scopes.OF_OPENID,
    audiences: Sequence[str] = (),
    serves: Sequence[str] = (),
    id_token_signed_response_alg: str | None = None,
    access_token_signed_response_alg: str = "ES256",  # noqa: S107
    refresh_without_offline_access: bool | None = None,
    application: str | None = None,
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str | None = None,
    client_uri: str | None = None,
) -> tuple[str, str | None]:
    """Register an application; returns its id and, where it has one, its secret.

    The secret is shown this once. Raises NotRegistrable.
    """
    client = Client(
        id=client_id or new_token(128).lower().strip("-_").replace("-", "0").replace("_", "1"),
        name=name,
        owner=owner,
        profile=profile,
        first_party=first_party,
        application_type=application_type,
        token_endpoint_auth_method=token_endpoint_auth_method,
        grant_types=list(grant_types),
        redirect_uris=list(redirect_uris),
        post_logout_redirect_uris=list(post_logout_redirect_uris),
        backchannel_logout_uri=backchannel_logout_uri,
        security_events_uri=security_events_uri,
        scopes=list(scopes),
        audiences=list(audiences),
        serves=list(serves),
        # Our own programs take the fast algorithm; others get what every library knows.
        id_token_signed_response_alg=id_token_signed_response_alg
        or ("ES256" if first_party else "RS256"),
        access_token_signed_response_alg=access_token_signed_response_alg,
        refresh_without_offline_access=first_party
        if refresh_without_offline_access is None
        else refresh_without_offline_access,
        application=application,
        jwks=dict(jwks) if jwks is not None else None,
        jwks_uri=jwks_uri,
        client_uri=client_uri,
        created_at=now,
        updated_at=now,
    )
    refusal = why_refuse(client) or _why_refuse_application(session, client)
    if refusal:
        raise NotRegistrable(refusal)
    move_on(session, _NAME)
    if session.get(Client, client.id) is not None:
        raise NotRegistrable("client_id is taken")
    session.add(client)
    session.flush()
    secret = None
    if token_endpoint_auth_method in (SECRET_BASIC, SECRET_POST):
        secret = _add_secret(session, client.id, now=now)
    _note(session, ProviderEvent.CLIENT_REGISTERED, client.id, now)
    return client.id, secret


def update_metadata(session: Session, client_id: str, *, now: datetime, **changes: Any) -> None:
    """Change what is registered about an application; same rules as at registration.

    People agreed to an application by its name and its owner: where either changes, everybody is
    asked again, and what the application holds without that ends.
    """
    client = session.get(Client, client_id)
    if client is None:
        raise NotFound("no such client")
    unknown = set(changes) - {each.name for each in fields(RegisteredClient)}
    if unknown or _NOT_REGISTERED & set(changes):
        raise NotRegistrable(f"{min(unknown | {'id'})} can't be changed")
    is_another = any(
        getattr(client, name) != changes.get(name, getattr(client, name)) for name in _IDENTITY
    )
    for name, value in changes.items():
        setattr(client, name, list(value) if isinstance(value, tuple | frozenset) else value)
    client.updated_at = now
    refusal = why_refuse(client) or _why_refuse_application(session, client)
    if refusal:
        raise NotRegistrable(refusal)
    move_on(session, _NAME)
    lapsed = (
        consents.lapse_of_application(session, client_id=client_id, now=now) if is_another else 0
    )
    _note(
        session,
        ProviderEvent.CLIENT_CHANGED,
        client_id,
        now,
        changed=sorted(changes),
        **({"consents_lapsed": lapsed} if lapsed else {}),
    )


def rotate_secret(
    session: Session, client_id: str, *, now: datetime, overlap: timedelta = timedelta(days=1)
) -> str:
    """A new secret; the one before is good for the overlap, older ones end now."""
    kept = session.scalars(
        select(ClientSecret)
        .where(ClientSecret.client_id == client_id)
        .order_by(ClientSecret.created_at.desc(), ClientSecret.id.desc())
    ).all()
    if not kept:
        raise NotFound("no client with secrets")
    for old in kept[1:]:
        session.delete(old)
    kept[0].expires_at = now + overlap
    move_on(session, _NAME)
    _note(session, ProviderEvent.CLIENT_SECRET_ROTATED, client_id, now)
    return _add_secret(session, client_id, now=now)


def disable(session: Session, client_id: str, *, now: datetime) -> None:
    """Stop an application: nothing is issued to it, and what it holds is refused."""
    stopped = session.execute(
        update(Client)
        .where(Client.id == client_id)
        .values(disabled_at=now, updated_at=now)
        .returning(Client.id)
    )
    if stopped.first() is None:
        raise NotFound("no such client")
    move_on(session, _NAME)
    _note(session, ProviderEvent.CLIENT_DISABLED, client_id, now)


def remove(session: Session, client_id: str, *, now: datetime) -> None:
    """Forget an application, its secrets and all grants to it."""
    removed = session.execute(delete(Client).where(Client.id == client_id).returning(Client.id))
    if removed.first() is None:
        raise NotFound("no such client")
    move_on(session, _NAME)
    _note(session, ProviderEvent.CLIENT_REMOVED, client_id, now)


def _note(
    session: Session, event: ProviderEvent, client_id: str, now: datetime, **details: Any
) -> None:
    ledger.append(
        session,
        chain=INSTALLATION,
        event=event,
        actor=None,
        subject=f"client:{client_id}",
        result="success",
        at=now,
        details=details,
    )


def why_refuse(client: Client) -> str | None:
    """Say why this application may not be registered, or None when it may."""
    return (
        _why_refuse_words(client)
        or _why_refuse_grants(client)
        or _why_refuse_addresses(client)
        or _why_refuse_authentication(client)
    )


def _why_refuse_words(client: Client) -> str | None:
    if not _ID.fullmatch(client.id) or _LIKE_A_PERSON.fullmatch(client.id):
        return "client_id must be 3 to 64 small letters, digits, dots, dashes, and no UUID"
    if not client.name.strip() or len(client.name) > 200 or not client.name.isprintable():
        return "name must be one line of at most 200 characters"
    if client.profile not in PROFILES:
        return "profile is unknown"
    if client.application_type not in ("web", "native"):
        return "application_type must be web or native"
    if not scopes.is_well_formed(scopes.join(client.scopes)):
        return "scopes are malformed"
    algorithms = {client.id_token_signed_response_alg, client.access_token_signed_response_alg}
    if not algorithms.issubset(SIGNING_ALGORITHMS):
        return "signing algorithm must be RS256 or ES256"
    return None


def _why_refuse_grants(client: Client) -> str | None:
    if not client.grant_types or not set(client.grant_types).issubset(GRANT_TYPES):
        return "grant_types are unknown or missing"
    if CLIENT_CREDENTIALS in client.grant_types and client.token_endpoint_auth_method == NONE:
        return "client_credentials needs a client that can prove who it is"
    if REFRESH_TOKEN in client.grant_types and AUTHORIZATION_CODE not in client.grant_types:
        return "refresh_token comes with authorization_code only"
    if client.token_endpoint_auth_method == NONE and not PROFILES[client.profile].pkce_required:
        return "a client without a secret needs a profile that asks for PKCE"
    if AUTHORIZATION_CODE in client.grant_types and not client.redirect_uris:
        return "redirect_uris are missing"
    return None


def _why_refuse_addresses(client: Client) -> str | None:
    native = client.application_type == "native"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        uris = getattr(client, name)
        if len(uris) > _MOST_URIS:
            return f"{name} are too many"
        for uri in uris:
            refusal = redirect_uris.why_refuse(uri, native=native)
            if refusal:
                return f"{name}: {uri!r} {refusal}"
    for name in ("backchannel_logout_uri", "security_events_uri", "jwks_uri", "client_uri"):
        uri = getattr(client, name)
        if uri is None:
            continue
        refusal = redirect_uris.why_refuse(uri)
        if refusal:
            return f"{name} {refusal}"
    for audience in (*client.audiences, *client.serves):
        if not is_resource(audience):
            return f"audience {audience!r} is not an absolute address without fragment"
    return None


def _why_refuse_application(session: Session, client: Client) -> str | None:
    if client.application is None or applications.find(session, client.application) is not None:
        return None
    return f"application {client.application!r} is not known to accounts"


def applications_changed(session: Session) -> None:
    """Look anew at what applications say of themselves, from the commit on."""
    move_on(session, _NAME)


def _why_refuse_authentication(client: Client) -> str | None:
    if client.token_endpoint_auth_method not in AUTH_METHODS:
        return "token_endpoint_auth_method is unknown"
    if client.jwks is not None and client.jwks_uri is not None:
        return "jwks and jwks_uri exclude each other"
    if client.token_endpoint_auth_method == PRIVATE_KEY_JWT and client.jwks_uri is None:
        if client.jwks is None:
            return "private_key_jwt needs jwks or jwks_uri"
        if not read_keys(client.jwks):
            return "jwks holds no usable public key"
    return None


def is_resource(text: str) -> bool:
    """Whether this can name a resource: an absolute address without a fragment (RFC 8707 §2).

    >>> is_resource("https://crm.example"), is_resource("crm"), is_resource("https://a.example/#x")
    (True, False, False)
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and "#" not in text


def _add_secret(session: Session, client_id: str, *, now: datetime) -> str:
    secret = new_token(256)
    session.add(
        ClientSecret(
            id=new_id(), client_id=client_id, secret_hash=hash_token(secret), created_at=now
        )
    )
    session.flush()
    return secret


def _load(session: Session, client_id: str) -> RegisteredClient | None:
    row = session.get(Client, client_id)
    if row is None:
        return None
    secrets = session.scalars(select(ClientSecret).where(ClientSecret.client_id == client_id))
    return RegisteredClient(
        id=row.id,
        name=row.name,
        owner=row.owner,
        profile=PROFILES[row.profile],
        first_party=row.first_party,
        application_type=row.application_type,
        token_endpoint_auth_method=row.token_endpoint_auth_method,
        grant_types=frozenset(row.grant_types),
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        security_events_uri=row.security_events_uri,
        scopes=tuple(row.scopes),
        audiences=tuple(row.audiences),
        serves=tuple(row.serves),
        id_token_signed_response_alg=row.id_token_signed_response_alg,
        access_token_signed_response_alg=row.access_token_signed_response_alg,
        refresh_without_offline_access=row.refresh_without_offline_access,
        application=row.application,
        context=_context_of(session, row),
        jwks=row.jwks,
        jwks_uri=row.jwks_uri,
        client_uri=row.client_uri,
        disabled=row.disabled_at is not None,
        secrets=tuple(Secret(each.secret_hash, each.expires_at) for each in secrets),
    )


def _context_of(session: Session, row: Client) -> str:
    known = applications.find(session, row.application) if row.application is not None else None
    return known.context if known is not None else NO_CONTEXT


_cache: VersionedCache[str, RegisteredClient] = VersionedCache(_NAME, _load)
