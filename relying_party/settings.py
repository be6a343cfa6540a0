"""The settings that a relying party adds: where the identity program is, and for how long."""

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from kernel.settings import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_origin(value: str) -> str:
    """For validators: scheme, host and port, nothing else; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an http(s) address")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be scheme, host and port only, without a slash at the end")
    return value


class RelyingPartySettings(Settings):
    """What the portal and the CRM have in common."""

    issuer: str = Field(
        "http://localhost:9000", description="Address of the identity program, as tokens name it"
    )
    portal_url: str = Field("http://localhost:9001", description="Address of the portal")
    crm_url: str = Field("http://localhost:9002", description="Address of the CRM")
    id_token_algorithm: str = Field(
        "ES256",
        pattern="^(ES256|EdDSA|PS256|RS256)$",
        description="How the identity program signs for the portal and the CRM",
    )
    session_idle_minutes: int = Field(
        60, ge=5, le=43_200, description="Minutes after which an unused sign-in ends"
    )
    session_hours: int = Field(
        24, ge=1, le=720, description="Hours after which a sign-in ends in any case"
    )

    feed_silence_seconds: int = Field(
        60,
        ge=5,
        le=3_600,
        description="Seconds without a heartbeat of security events, after which the portal and the CRM"
        " ask the identity program at every request",
    )

    @field_validator("issuer", "portal_url", "crm_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        return check_origin(value)

    @model_validator(mode="after")
    def _issuer_is_safe(self) -> Self:
        parts = urlsplit(self.issuer)
        if self.production and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("production needs an https issuer")
        return self

    @property
    def session_idle(self) -> timedelta:
        """How long a session survives without a request."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_absolute(self) -> timedelta:
        """How long a session survives in any case."""
        return timedelta(hours=self.session_hours)

    @property
    def identity_api(self) -> str:
        """The audience of tokens for the identity program's own API."""
        return f"{self.issuer}/api"

    @property
    def profile_url(self) -> str:
        """The page at the identity program where people keep their profile."""
        return f"{self.issuer}/account"

    @property
    def login_security_url(self) -> str:
        """The page at the identity program about passwords, factors and open sessions."""
        return f"{self.issuer}/account/security"

    @property
    def open_sessions_url(self) -> str:
        """The page at the identity program that lists where a person is signed in."""
        return f"{self.issuer}/account/sessions"
