"""What an operator may set about the start of programs: where they listen, and how they migrate."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from kernel.settings import Settings


class StartSettings(Settings):
    """The settings of the command line. Those of a program are in its own package."""

    host: str = Field("127.0.0.1", description="Address that the programs listen on")
    identity_port: int = Field(9000, ge=1, le=65535, description="Port of the identity program")
    portal_port: int = Field(9001, ge=1, le=65535, description="Port of the portal")
    crm_port: int = Field(9002, ge=1, le=65535, description="Port of the CRM")
    mail_catcher_port: int = Field(
        9003, ge=1, le=65535, description="Port where the demo's mails are read"
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate chain (PEM), where TLS does not end at a proxy"
    )
    tls_key: Path | None = Field(None, description="Its private key (PEM, PKCS #8)")
    drain_seconds: int = Field(
        25, ge=1, le=30, description="How long a stopping program finishes open requests"
    )

    drain_notice_seconds: float = Field(
        0,
        ge=0,
        le=30,
        description="How long a stopping program first says «not ready» to load balancers",
    )

    identity_database_owner_url: SecretStr = Field(
        SecretStr(""),
        description="Database address of the role that owns the identity program's tables "
        "(PostgreSQL); migrations use it. Empty: the program's own address",
    )
    portal_database_owner_url: SecretStr = Field(
        SecretStr(""), description="The same for the portal"
    )
    crm_database_owner_url: SecretStr = Field(SecretStr(""), description="The same for the CRM")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are given together or not at all")
        return self

    def port(self, program: str) -> int:
        """The port that a program listens on."""
        port: int = getattr(self, f"{program}_port")
        return port

    def owner_url(self, program: str) -> str:
        """The database address of the tables' owner, or "" where it is the program's own."""
        url: SecretStr = getattr(self, f"{program}_database_owner_url")
        return url.get_secret_value()
