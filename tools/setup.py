"""Set the project up on a machine that has only Python 3.11 and make.

    python3.11 -m tools.setup run      what the three programs need
    python3.11 -m tools.setup test     also what checks, tests and benchmarks need

Everything lands inside the project's folder: Python packages (and Node, where the
machine has no npm) in `.venv/`, the front end's in `node_modules/`, copies of the
files that browsers fetch in `kernel/static/vendor/`. Each step leaves a stamp made
of what went into it and is skipped while that has not changed. Where packages come
from is the business of the machine's own pip and npm configuration.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

from tools import assets
from tools.shell import ROOT, VENV, VENV_BIN, Failed, environment, run, say, step

STAMPS = VENV / ".stamps"
NODE_MODULES = ROOT / "node_modules"
NODE_STAMP = NODE_MODULES / ".stamp"
OLDEST_NODE = 20

REQUIREMENTS = {
    "run": ["requirements/run.txt"],
    "test": ["requirements/run.txt", "requirements/dev.txt"],
}

LAUNCHER = """\
#!{python}
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def set_up(purpose: str) -> bool:
    """Do what is missing for `run` or `test`; return whether anything was done."""
    with _alone():
        steps: list[Callable[[], bool]] = [
            _make_virtual_environment,
            lambda: _install_python_packages(purpose),
            _link_the_project,
            _install_node,
            lambda: _install_node_packages(purpose),
            assets.bring,
        ]
        done = [one() for one in steps]
        return any(done)


class _alone:  # noqa: N801 - reads as `with _alone():`
    """Keep two set-ups of one folder from running at the same time."""

    def __enter__(self) -> None:
        self._folder = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(self._folder, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)


def _make_virtual_environment() -> bool:
    if (VENV_BIN / "python").exists():
        return False
    with step("Making a virtual environment in .venv"):
        try:
            venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            raise Failed(
                "Python cannot make virtual environments here. On Debian: "
                "apt-get install python3-venv"
            ) from None
    return True


def _install_python_packages(purpose: str) -> bool:
    files = REQUIREMENTS[purpose]
    if _read(STAMPS / purpose) == _fingerprint(*files):
        return False
    with step("Installing Python packages"):
        _pip(files)
    for satisfied, needed in REQUIREMENTS.items():
        if set(needed) <= set(files):
            _write(STAMPS / satisfied, _fingerprint(*needed))
    return True


def _link_the_project() -> bool:
    """Make the project importable and give it its command, without building it.

    Building would need setuptools, which no lock file of ours could pin.
    """
    link = _site_packages() / "klucznik.pth"
    wanted = {link: f"{ROOT}\n"}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name, target in scripts.items():
        module, _, function = target.partition(":")
        wanted[VENV_BIN / name] = LAUNCHER.format(
            python=VENV_BIN / "python", module=module, function=function
        )
    changed = {path: text for path, text in wanted.items() if _read(path) != text}
    for path, text in changed.items():
        path.write_text(text)
        if path != link:
            path.chmod(0o755)
    return bool(changed)


def _install_node() -> bool:
    if _npm() is not None:
        return False
    with step("Installing Node, because this machine has no npm"):
        _pip(["requirements/node.txt"])
    return True


def _install_node_packages(purpose: str) -> bool:
    wanted = _fingerprint("package.json", "package-lock.json")
    present = _read(NODE_STAMP)
    # What tests need includes what running needs.
    if present in {f"test {wanted}", f"{purpose} {wanted}"}:
        return False
    npm = _npm()
    if npm is None:
        raise Failed("npm is missing although its package was installed")
    with step("Installing front-end packages"):
        omit = ["--omit=dev"] if purpose == "run" else []
        run([npm, "ci", *omit, "--no-audit", "--no-fund"], quiet=True)
    _write(NODE_STAMP, f"{purpose} {wanted}")
    return True


def _npm() -> str | None:
    """Return an npm whose Node is young enough, the machine's own if it has one."""
    for path in (None, environment()["PATH"]):
        npm, node = shutil.which("npm", path=path), shutil.which("node", path=path)
        if npm and node and _major_version(node) >= OLDEST_NODE:
            return npm
    return None


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.removeprefix("v").partition(".")[0].strip()
    return int(major) if major.isdigit() else 0


def _pip(files: list[str]) -> None:
    chosen = [word for file in files for word in ("-r", file)]
    run(
        [
            VENV_BIN / "python",
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary=:all:", *chosen),
        ]
    )


def _site_packages() -> Path:
    answer = subprocess.run(
        [
            VENV_BIN / "python",
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(answer.stdout.strip())


def _fingerprint(*files: str) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main() -> int:
    """Set up for the purpose named on the command line."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "test"
    started = time.monotonic()
    try:
        done = set_up(purpose)
    except Failed as failure:
        say(f"Set-up failed: {failure}")
        return 1
    if done:
        say(f"Set-up took {time.monotonic() - started:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
