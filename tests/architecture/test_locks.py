"""Locks: exact versions with hashes, and no word about where packages come from."""

import json
import re

import pytest

from tests.architecture.packages import ROOT

PYTHON_LOCKS = ("run", "dev", "node")


@pytest.mark.security("19.2")
@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_python_package_is_pinned_with_hashes(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

    assert lines
    for line in lines:
        assert re.match(r"[\w.\[\],-]+==\S+.*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.security("19.2")
@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_no_python_lock_names_an_address(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()

    assert not re.search(r"https?://|--index|--extra-index|--find-links", text)


@pytest.mark.security("19.2")
def test_every_front_end_package_is_pinned_with_a_hash_and_without_an_address():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}

    assert packages
    assert [path for path, entry in packages.items() if "resolved" in entry] == []
    assert [path for path, entry in packages.items() if "integrity" not in entry] == []


@pytest.mark.security("19.2")
def test_every_front_end_package_is_asked_for_in_an_exact_version():
    manifest = json.loads((ROOT / "package.json").read_text())
    wanted = manifest["dependencies"] | manifest["devDependencies"]

    assert [version for version in wanted.values() if not re.fullmatch(r"[\d.]+", version)] == []


@pytest.mark.parametrize("host", [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")])
def test_no_file_of_ours_names_a_registry(host):
    pattern = ".".join(host)
    folders = ("tools", "deploy", ".ci", "requirements", "docs")
    naming = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and pattern.encode() in path.read_bytes()
    ]

    assert naming == []
