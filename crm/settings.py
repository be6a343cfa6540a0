"""The settings of the CRM."""

from typing import cast

from flask import Flask
from pydantic import Field, SecretStr

from kernel.web import settings_of
from relying_party.client import Client
from relying_party.settings import RelyingPartySettings


class CrmSettings(RelyingPartySettings):
    """Where the CRM keeps its data, and how it proves itself."""

    crm_database_url: SecretStr = Field(
        SecretStr(""), description="The CRM's database; empty: SQLite in the home folder"
    )
    crm_client_key: SecretStr = Field(
        SecretStr(""),
        description="The CRM's private key at the identity program: a JWK on P-256, as JSON",
    )

    @property
    def database_address(self) -> str:
        """SQLAlchemy's address of the database."""
        given = self.crm_database_url.get_secret_value()
        return given or f"sqlite:///{self.home / 'crm.sqlite3'}"

    def client(self) -> Client:
        """Who the CRM is at the identity program."""
        return Client(
            client_id="crm",
            application="crm",
            public_url=self.crm_url,
            key=self.crm_client_key.get_secret_value(),
            audiences=(self.issuer, self.identity_api),
        )


def crm_settings_of(app: Flask) -> CrmSettings:
    """The settings that the CRM was started with."""
    return cast(CrmSettings, settings_of(app))
