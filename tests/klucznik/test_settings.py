"""The settings of starting programs."""

import pytest
from pydantic import ValidationError

from klucznik.settings import StartSettings


def test_every_program_has_its_port():
    settings = StartSettings(portal_port=8001)

    assert [settings.port(name) for name in ("identity", "portal", "crm")] == [9000, 8001, 9002]


def test_half_of_tls_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="given together"):
        StartSettings(tls_certificate=tmp_path / "certificate.pem")


def test_an_owner_is_named_for_one_database_alone(monkeypatch):
    monkeypatch.setenv("KLUCZNIK_CRM_DATABASE_OWNER_URL", "postgresql://owner@db/crm")
    settings = StartSettings()

    assert settings.owner_url("crm") == "postgresql://owner@db/crm"
    assert settings.owner_url("portal") == ""
