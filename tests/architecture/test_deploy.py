"""What deploy/ and the documents tell operators to set and to run is there."""

import re

import pytest
import yaml

from klucznik.cli import COMMANDS
from tests.architecture.packages import PACKAGES, ROOT
from tools import reference

TEXTS = sorted(
    path
    for pattern in ("deploy/**/*", "docs/**/*.md", "*.md")
    for path in ROOT.glob(pattern)
    if path.is_file()
)


def known_settings() -> set[str]:
    return {
        f"KLUCZNIK_{name.upper()}"
        for settings in reference.settings_classes()
        for name in settings.model_fields
    }


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(text):
    named = set(re.findall(r"KLUCZNIK_[A-Z][A-Z_]*[A-Z]", text.read_text()))
    plain = {name.removesuffix("_FILE") for name in named if not name.startswith("KLUCZNIK_TEST_")}

    assert plain - known_settings() - {"KLUCZNIK_OUTGOING_CA"} == set()


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(text):
    named = re.findall(r"(?:^|[`/ ])klucznik ([a-z][a-z-]+)", text.read_text(), re.MULTILINE)
    commands = {name for name in named if re.search(rf"[`/]klucznik {name}", text.read_text())}

    assert commands - set(COMMANDS) == set()


def test_the_composition_is_whole():
    composition = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())

    for name, service in composition["services"].items():
        assert set(service.get("secrets", [])) <= set(composition["secrets"]), name
        assert set(service.get("depends_on", [])) <= set(composition["services"]), name
        for setting, value in service.get("environment", {}).items():
            if str(value).startswith("/run/secrets/"):
                assert value.rpartition("/")[2] in service["secrets"], (name, setting)


def test_every_secret_of_the_composition_is_made():
    composition = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    script = (ROOT / "deploy" / "make-secrets.sh").read_text()

    for secret in composition["secrets"]:
        kind = secret.removeprefix("identity").removeprefix("portal").removeprefix("crm")
        assert secret in script or f"${{program}}{kind}" in script, secret


def test_the_image_holds_every_package_and_runs_as_nobody_special():
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text()

    assert "\nUSER klucznik\n" in dockerfile
    assert "HEALTHCHECK" in dockerfile
    for package in (*PACKAGES, "migrations"):
        assert f"COPY {package} {package}\n" in dockerfile
        assert f"!{package}\n" in ignored
