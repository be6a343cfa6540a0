"""What production refuses to start with."""

import pytest

from kernel.settings import Mode
from klucznik import home, production
from klucznik.programs import PROGRAMS
from klucznik.serve import settings_of
from tests.programs import SECRETS


@pytest.fixture
def started(monkeypatch):
    """Settings of a program, in production unless said otherwise."""

    def settings(program="identity", **values):
        wanted = {**SECRETS, "mode": Mode.PRODUCTION, "issuer": "https://id.example.pl"}
        wanted |= {"portal_url": "https://portal.example.pl", "crm_url": "https://crm.example.pl"}
        for name, value in (wanted | values).items():
            monkeypatch.setenv(f"KLUCZNIK_{name.upper()}", str(value))
        return settings_of(PROGRAMS[program])

    return settings


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_complete_installation_may_start(started, program):
    assert production.refusals(PROGRAMS[program], started(program)) == []


@pytest.mark.security("19.1")
@pytest.mark.parametrize("name", ["SECRET_KEYS", "ENCRYPTION_KEYS", "LEDGER_KEY"])
def test_a_secret_of_the_demonstration_is_refused(started, name):
    settings = started(**{name: home._secrets()[name]})

    assert production.refusals(PROGRAMS["identity"], settings) == [
        f"{name.lower()} was made for a demonstration; make your own"
    ]


@pytest.mark.security("19.1")
def test_one_old_secret_of_the_demonstration_is_enough_to_refuse(started):
    both = f"{SECRETS['secret_keys']},{home._secrets()['SECRET_KEYS']}"

    assert production.refusals(PROGRAMS["identity"], started(secret_keys=both))


@pytest.mark.security("19.1")
def test_an_application_may_not_be_reached_over_http(started):
    settings = started("portal", portal_url="http://portal.example.pl")

    assert production.refusals(PROGRAMS["portal"], settings) == [
        "portal_url must be an https address"
    ]


def test_loopback_may_be_http(started):
    settings = started(issuer="http://localhost:9000")

    assert production.refusals(PROGRAMS["identity"], settings) == []


def test_a_demonstration_refuses_nothing(started):
    settings = started(mode=Mode.DEMO, secret_keys=home._secrets()["SECRET_KEYS"])

    assert production.refusals(PROGRAMS["identity"], settings) == []
