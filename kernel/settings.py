"""What an operator may set: `KLUCZNIK_…` in the environment, `…_FILE` for secrets.

Read in this order, the first one wins: the environment, the file that `KLUCZNIK_<NAME>_FILE`
names, `settings.env` in the home folder (written by the first start on one machine), the default.
"""

import os
from email.utils import parseaddr
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from kernel.crypto import Vault, key_from_text
from kernel.errors import Misconfigured

PREFIX = "KLUCZNIK_"
PROJECT_FOLDER = Path(__file__).resolve().parent.parent


def home_folder() -> Path:
    """Where one machine keeps its state: `KLUCZNIK_HOME`, else `var` in the project's folder."""
    return Path(os.environ.get(f"{PREFIX}HOME") or PROJECT_FOLDER / "var")


class Mode(StrEnum):
    """How careful the start is. Production refuses what a demonstration may do."""

    DEMO = "demo"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """The settings that all programs share. Lists are written with commas."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mode: Mode = Field(Mode.DEMO, description="demo or production")
    home: Path = Field(
        default_factory=home_folder, description="Folder for state kept on one machine"
    )

    secret_keys: SecretStr = Field(
        SecretStr(""),
        description="Secrets that sign cookies and forms; the first signs, all are accepted",
    )
    encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys (32 bytes, base64url) for data at rest; the first seals, all open",
    )
    ledger_key: SecretStr = Field(
        SecretStr(""),
        description="Key (32 bytes, base64url) that seals the audit trail; not in the database",
    )

    database_pool: int = Field(8, ge=1, le=200, description="Database connections of one process")
    threads: int = Field(
        8,
        ge=1,
        le=200,
        description="Requests that one process serves at once; where it is not set, 4 in the "
        "identity program, which computes more than it waits",
    )
    worker: bool = Field(
        True, description="Whether a serving process also delivers mails and events (one machine)"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Proxies in front that set X-Forwarded-For; 0 trusts no header"
    )

    smtp_host: str = Field("localhost", description="Mail server")
    smtp_port: int = Field(9025, description="Mail server's port")
    smtp_username: str = Field("", description="Mail server's user name; empty: no sign-in")
    smtp_password: SecretStr = Field(SecretStr(""), description="Mail server's password")
    smtp_security: str = Field(
        "none", pattern="^(none|starttls|tls)$", description="none, starttls or tls"
    )
    mail_from: str = Field(
        "Klucznik <no-reply@klucznik.localhost>", description="Sender of all mails"
    )

    outgoing_allowed_hosts: str = Field(
        "", description="host:port names that may be private or plain http in outgoing requests"
    )
    outgoing_resolve: str = Field(
        "", description="host=address pairs that replace name look-ups in outgoing requests"
    )
    outgoing_ca_file: Path | None = Field(
        None, description="Certificates to trust in outgoing requests besides the system's"
    )

    log_level: str = Field(
        "info",
        pattern="^(debug|info|warning|error)$",
        description="debug, info, warning or error",
    )
    metrics_port: int = Field(9010, description="Port of /metrics on loopback; 0: none")
    default_locale: str = Field("pl", pattern="^(pl|en)$", description="Language of last resort")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        written_at_first_start = DotEnvSettingsSource(
            settings_cls, env_file=home_folder() / "settings.env"
        )
        return (
            init_settings,
            env_settings,
            SecretFiles(settings_cls),
            written_at_first_start,
        )

    @field_validator("mail_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if not (local and domain and domain.isascii() and local.isascii()):
            raise ValueError("must be one address, or a name and one address in < >")
        if "\r" in value or "\n" in value:
            raise ValueError("must be one line")
        return value

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.mode is Mode.PRODUCTION:
            for name in ("secret_keys", "encryption_keys", "ledger_key"):
                if not getattr(self, name).get_secret_value():
                    raise ValueError(f"production needs {PREFIX}{name.upper()}")
        return self

    @property
    def production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    def signing_secrets(self) -> list[str]:
        """The secrets for cookies and forms, newest first; raises Misconfigured."""
        secrets = split_list(self.secret_keys.get_secret_value())
        if not secrets:
            raise Misconfigured(f"{PREFIX}SECRET_KEYS is not set; `klucznik run` makes one")
        if self.production and min(map(len, secrets)) < 32:
            raise Misconfigured(f"{PREFIX}SECRET_KEYS must have 32 characters or more each")
        return secrets

    def vault(self) -> Vault:
        """What encrypts data at rest; raises Misconfigured."""
        texts = split_list(self.encryption_keys.get_secret_value())
        return Vault([key_from_text(text) for text in texts])

    def ledger_secret(self) -> bytes:
        """The key that seals the ledger; raises Misconfigured."""
        return _ledger_key(self.ledger_key.get_secret_value())


# Every count and every row of the ledger asks for it.
@lru_cache(maxsize=4)
def _ledger_key(text: str) -> bytes:
    return key_from_text(text)


class SecretFiles(PydanticBaseSettingsSource):
    """Reads a setting from the file that `KLUCZNIK_<NAME>_FILE` names, as containers give them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as unreadable:
            raise Misconfigured(f"{PREFIX}{field_name.upper()}_FILE can't be read") from unreadable

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def split_list(text: str) -> list[str]:
    """The parts of a comma-separated setting.

    >>> split_list(" a, b ,,c")
    ['a', 'b', 'c']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
