"""The settings of the identity program, on top of those that all programs share."""

from pathlib import Path
from typing import Self, cast
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from kernel import program
from kernel.settings import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class IdentitySettings(Settings):
    """Where the identity program lives, whom it serves, and how long things last."""

    issuer: str = Field(
        "http://localhost:9000", description="Address of the identity program, as tokens name it"
    )
    portal_url: str = Field("http://localhost:9001", description="Address of the portal")
    crm_url: str = Field("http://localhost:9002", description="Address of the CRM")
    # Its requests compute, and threads take one another's time (docs/performance.md).
    threads: int = Field(4, ge=1, le=200, description="Requests that one process serves at once")
    identity_database_url: SecretStr = Field(
        SecretStr(""),
        description="The identity program's database; empty: SQLite in the home folder",
    )

    rsa_bits: int = Field(2048, description="Size of new RSA signing keys: 2048 or 3072")
    key_rotation_days: int = Field(90, ge=1, le=730, description="Days that a signing key signs")
    jwks_cache_seconds: int = Field(
        900, ge=60, le=86_400, description="How long clients may keep the published keys"
    )
    code_seconds: int = Field(60, ge=10, le=60, description="Life of an authorization code")
    access_token_seconds: int = Field(300, ge=60, le=600, description="Life of an access token")
    id_token_seconds: int = Field(3600, ge=60, le=86_400, description="Life of an ID token")
    security_event_beat_seconds: int = Field(
        15,
        ge=1,
        le=300,
        description="Seconds between heartbeats to applications that hear of security events",
    )
    refresh_token_idle_days: int = Field(
        14, ge=1, le=365, description="Days after which an unused refresh token ends"
    )
    refresh_token_days: int = Field(
        90, ge=1, le=730, description="Days after which a chain of refresh tokens ends"
    )

    registration_open: bool = Field(
        True,
        description="Whether anybody may create an ID; closed: only who is invited, programs and the operator",
    )
    password_min_length: int = Field(
        12, ge=8, le=64, description="Fewest characters of a new password"
    )
    temporary_password_hours: int = Field(
        72, ge=1, le=720, description="Hours in which a temporary password works"
    )
    welcome_link_hours: int = Field(
        72, ge=1, le=720, description="Hours in which a welcome link works"
    )
    breached_passwords: Path | None = Field(
        None, description="Folder of breached passwords, filled by `klucznik passwords add`"
    )
    passkey_domain: str = Field(
        "",
        description="Domain that passkeys belong to: the issuer's host, which is the default, or a"
        " domain above it. Passkeys made under one domain are of no use under another",
    )
    places_database: Path | None = Field(
        None,
        description="Database of places by network address (MaxMind's format); without: addresses",
    )
    hashes_at_once: int = Field(
        0, ge=0, le=64, description="Passwords hashed at once by a process; 0: one a core"
    )
    sign_in_tries_per_address: int = Field(
        300, ge=10, le=1_000_000, description="Passwords tried from one address in 15 minutes"
    )
    not_me_days: int = Field(
        7, ge=1, le=30, description="Days for which «this was not me» in a notice works"
    )
    session_idle_minutes: int = Field(
        60, ge=5, le=43_200, description="Minutes after which an unused sign-in ends"
    )
    session_hours: int = Field(
        24, ge=1, le=720, description="Hours after which a sign-in ends in any case"
    )

    support_contact: str = Field(
        "", description="Where people ask for help, as pages show it: an e-mail address, a number"
    )
    lost_factors_waiting_hours: int = Field(
        72,
        ge=0,
        le=720,
        description="Hours between the operator's yes to lost factors and their removal; in "
        "production at least 24",
    )
    lost_factors_days: int = Field(
        14, ge=1, le=90, description="Days after which such a request lapses, decided or not"
    )

    @field_validator("issuer", "portal_url", "crm_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("must be an http(s) address")
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be scheme, host and port only, without a slash at the end")
        return value

    @field_validator("rsa_bits")
    @classmethod
    def _known_size(cls, value: int) -> int:
        if value not in (2048, 3072):
            raise ValueError("must be 2048 or 3072")
        return value

    @model_validator(mode="after")
    def _issuer_is_safe(self) -> Self:
        parts = urlsplit(self.issuer)
        if self.production and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("production needs an https issuer")
        return self

    @model_validator(mode="after")
    def _passkeys_are_ours(self) -> Self:
        host, domain = urlsplit(self.issuer).hostname or "", self.passkey_domain
        if domain and domain != host and not ("." in domain and host.endswith(f".{domain}")):
            raise ValueError("passkey_domain must be the issuer's host or a domain above it")
        return self

    @property
    def passkey_relying_party(self) -> str:
        """The domain that passkeys belong to (WebAuthn's relying party id)."""
        return self.passkey_domain or urlsplit(self.issuer).hostname or ""

    @model_validator(mode="after")
    def _owners_can_object(self) -> Self:
        if self.production and self.lost_factors_waiting_hours < 24:
            raise ValueError("production needs at least 24 hours to object to lost factors")
        return self

    @property
    def database_address(self) -> str:
        """SQLAlchemy's address of the database."""
        given = self.identity_database_url.get_secret_value()
        return given or f"sqlite:///{self.home / 'identity.sqlite3'}"

    @property
    def api_audience(self) -> str:
        """The audience of tokens for the identity program's own API."""
        return f"{self.issuer}/api"


def current_settings() -> IdentitySettings:
    """The settings of the application that is at work; needs its context."""
    return cast(IdentitySettings, program.extensions()["klucznik.settings"])
