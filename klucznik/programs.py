"""The three programs, by name: what to import for each, and where it listens."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from kernel.errors import Misconfigured


class Worker(Protocol):
    """What delivers a program's mails and events."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Program:
    """One program. Everything about its code is an import string (`module:name`), or "" for none."""

    name: str
    settings: str
    app: str
    worker: str
    prepare: str
    refusals: str
    """What keeps this program from starting in production: a list of sentences."""
    fast_path: str = ""
    """What stands between the server and the application; it takes the application."""

    @property
    def url_setting(self) -> str:
        """The setting that holds its public address."""
        return "issuer" if self.name == "identity" else f"{self.name}_url"


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            name="identity",
            settings="idp.settings:IdentitySettings",
            app="idp.app:create_app",
            worker="idp.worker:create_worker",
            prepare="idp.cli.prepare:prepare",
            refusals="idp.cli.prepare:refusals_of",
            fast_path="idp.fast_path:FastPath",
        ),
        Program(
            name="portal",
            settings="portal.settings:PortalSettings",
            app="portal.app:create_app",
            worker="",
            prepare="",
            refusals="",
        ),
        Program(
            name="crm",
            settings="crm.settings:CrmSettings",
            app="crm.app:create_app",
            worker="",
            prepare="",
            refusals="",
        ),
    )
}


def load(import_string: str) -> Any:
    """What `package.module:name` names.

    >>> load("kernel.clock:now").__name__
    'now'
    """
    module, _, name = import_string.partition(":")
    try:
        return getattr(import_module(module), name)
    except AttributeError as missing:
        raise Misconfigured(f"{module} has no {name}") from missing
