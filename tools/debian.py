"""What the tests need besides Python and Node: found, else installed where we may.

Only `make test` and `.ci/run` come here; running Klucznik needs none of it.
"""

import ctypes
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.shell import Failed, run, step

POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")
APACHE_MODULE = Path("/usr/lib/apache2/modules/mod_auth_openidc.so")


@dataclass(frozen=True)
class Need:
    """A program that tests start, and the Debian packages that bring it."""

    name: str
    packages: tuple[str, ...]
    is_here: Callable[[], bool]


def postgresql_program(name: str) -> Path | None:
    """Return one of PostgreSQL's programs, of the newest version on this machine."""
    versions = POSTGRESQL_VERSIONS.glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    found = newest or shutil.which(name)
    return Path(found) if found else None


NEEDS = (
    Need("Chromium", ("chromium",), lambda: _found("chromium") or _found("chromium-browser")),
    # Playwright steers the browser with a Node of its own, and that one needs this.
    Need("libatomic", ("libatomic1",), lambda: _is_library("libatomic.so.1")),
    Need("PostgreSQL", ("postgresql",), lambda: postgresql_program("initdb") is not None),
    Need(
        "Apache with mod_auth_openidc",
        ("apache2", "libapache2-mod-auth-openidc"),
        lambda: _found("apache2") and APACHE_MODULE.exists(),
    ),
)


def provide(needs: tuple[Need, ...] = NEEDS) -> None:
    """Install what is missing, or raise `Failed` naming all of it."""
    missing = [need for need in needs if not need.is_here()]
    if not missing:
        return
    packages = [package for need in missing for package in need.packages]
    if not _may_install():
        raise Failed(
            f"missing on this machine: {', '.join(need.name for need in missing)}. "
            f"On Debian: apt-get install {' '.join(packages)}"
        )
    with step(f"Installing from Debian: {' '.join(packages)}"):
        # Tests start what they need themselves; runlevel 1 keeps the packages from it.
        quietly = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        run(["apt-get", "update"], env=quietly, quiet=True)
        run(
            ["apt-get", "install", "--yes", "--no-install-recommends", *packages],
            env=quietly,
            quiet=True,
        )
    still_missing = [need.name for need in missing if not need.is_here()]
    if still_missing:
        raise Failed(f"installed, but not found: {', '.join(still_missing)}")


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _found(program: str) -> bool:
    # A plain user's search path often lacks the folders of servers.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return shutil.which(program, path=path) is not None


def _is_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
