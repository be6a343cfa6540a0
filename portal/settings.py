"""The settings of the portal."""

from typing import cast
from urllib.parse import urlsplit

from flask import Flask
from pydantic import Field, SecretStr, field_validator

from kernel.web import settings_of
from relying_party.client import Client
from relying_party.settings import RelyingPartySettings


class PortalSettings(RelyingPartySettings):
    """Where the portal keeps its data, how it proves itself, and where its links lead."""

    portal_database_url: SecretStr = Field(
        SecretStr(""), description="The portal's database; empty: SQLite in the home folder"
    )
    portal_client_key: SecretStr = Field(
        SecretStr(""),
        description="The portal's private key at the identity program: a JWK on P-256, as JSON",
    )
    shop_url: str = Field("", description="Address of the online shop; empty: no link to one")
    help_url: str = Field("", description="Address of the help centre; empty: no link to one")
    documentation_url: str = Field(
        "", description="Address of the documentation; empty: no link to it"
    )

    @field_validator("shop_url", "help_url", "documentation_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and (
            urlsplit(value).scheme not in {"https", "http"} or not urlsplit(value).netloc
        ):
            raise ValueError("must be an http(s) address")
        return value

    @property
    def database_address(self) -> str:
        """SQLAlchemy's address of the database."""
        given = self.portal_database_url.get_secret_value()
        return given or f"sqlite:///{self.home / 'portal.sqlite3'}"

    def client(self) -> Client:
        """Who the portal is at the identity program."""
        return Client(
            client_id="portal",
            application="portal",
            public_url=self.portal_url,
            key=self.portal_client_key.get_secret_value(),
            audiences=(self.issuer, self.identity_api, self.crm_url),
        )


def portal_settings_of(app: Flask) -> PortalSettings:
    """The settings that the portal was started with."""
    return cast(PortalSettings, settings_of(app))
