"""The promises that the layout makes are kept by the tests of this folder: each of them fails
when its promise is broken. Here is what the promises are about: our packages and their files.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAMS = ("identity", "portal", "crm")
PACKAGES = (
    *("klucznik", "kernel", "tenants", "consent", "idp"),
    *("relying_party", "portal", "crm"),
)


def modules(*packages: str) -> Iterator[Path]:
    """Every Python file of these packages (all of ours without any), from the root."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT)


def tree_of(path: Path) -> ast.Module:
    """A file of ours, read but not run."""
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def templates() -> Iterator[Path]:
    """Every template of ours, from the root."""
    for package in PACKAGES:
        for path in sorted((ROOT / package / "templates").rglob("*")):
            if path.is_file():
                yield path.relative_to(ROOT)
