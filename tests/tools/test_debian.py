"""What the tests need is installed where that is allowed, and named where it is not."""

import pytest

from tools import debian
from tools.debian import Need
from tools.shell import Failed

THERE = Need("a browser", ("browser",), lambda: True)
MISSING = Need("a server", ("server", "server-module"), lambda: False)


def test_nothing_is_done_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(debian, "run", lambda *_, **__: pytest.fail("installed something"))

    debian.provide((THERE,))


def test_what_is_missing_is_named_where_it_may_not_be_installed(monkeypatch):
    monkeypatch.setattr(debian, "_may_install", lambda: False)

    with pytest.raises(Failed, match=r"a server.*apt-get install server server-module"):
        debian.provide((THERE, MISSING))


def test_what_is_missing_is_installed_where_it_may_be(monkeypatch):
    commands: list[list[str]] = []
    here: list[bool] = []
    need = Need("a server", ("server",), lambda: bool(here))

    def run(command, **_):
        commands.append(command)
        here.append(True)

    monkeypatch.setattr(debian, "_may_install", lambda: True)
    monkeypatch.setattr(debian, "run", run)

    debian.provide((THERE, need))

    assert commands[-1][:2] == ["apt-get", "install"]
    assert commands[-1][-1] == "server"


def test_an_installation_that_did_not_help_is_a_failure(monkeypatch):
    monkeypatch.setattr(debian, "_may_install", lambda: True)
    monkeypatch.setattr(debian, "run", lambda *_, **__: None)

    with pytest.raises(Failed, match="not found: a server"):
        debian.provide((MISSING,))
