"""`make product`: each product id and the tests that carry it.

    python -m tools.product                       every id and its tests
    python -m tools.product --require ID-1,ID-2   fail when one of these has no test
    python -m tools.product --security            the same for the security requirements

A test carries an id by `@pytest.mark.product("ID-1")` or
`@pytest.mark.security("2.4")`. Tests are read, not run.
"""

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tools.shell import ROOT, say

TESTS = ROOT / "tests"
LISTS = {
    "product": ROOT / "docs" / "product.md",
    "security": ROOT / "docs" / "SECURITY-REQUIREMENTS.md",
}
_ENTRY = re.compile(r"^- \*\*(?P<id>[A-Z]{2,3}-\d+|\d+\.\d+)\*\* (?P<text>.+)$", re.MULTILINE)


def entries(kind: str) -> dict[str, str]:
    """Return the ids of docs/product.md, or of the security requirements, with their words."""
    return {match["id"]: match["text"] for match in _ENTRY.finditer(LISTS[kind].read_text())}


def carriers(kind: str, tests: Path = TESTS) -> dict[str, list[str]]:
    """Return for each id the tests that are marked with it, as `file::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text(), filename=str(path))
        file = path.relative_to(tests.parent)
        of_the_module = _marks_of_the_module(tree, kind)
        for test, marks in _tests(tree, kind):
            for name in {*of_the_module, *marks}:
                found[name].append(f"{file}::{test}")
    return dict(found)


def _tests(tree: ast.Module, kind: str) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name, _marks(node.decorator_list, kind)
        if isinstance(node, ast.ClassDef):
            around = _marks(node.decorator_list, kind)
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
                    marks = _marks(inner.decorator_list, kind)
                    yield f"{node.name}::{inner.name}", [*around, *marks]


def _marks_of_the_module(tree: ast.Module, kind: str) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            return _marks([node.value], kind)
    return []


def _marks(expressions: list[ast.expr], kind: str) -> list[str]:
    """Return the words of every `pytest.mark.<kind>(…)` inside the expressions."""
    return [
        word.value
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == kind
        for word in node.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    ]


def in_order(name: str) -> tuple[str, int, int]:
    """Sort ID-2 before ID-10, and 2.4 before 2.10.

    >>> sorted(["ID-10", "ID-2", "2.10", "2.4"], key=in_order)
    ['2.4', '2.10', 'ID-2', 'ID-10']
    """
    family, _, number = name.rpartition("-")
    whole, _, part = number.partition(".")
    return family, int(whole), int(part or 0)


def main() -> int:
    """Print the list; fail on a required id without a test, or a mark that names no id."""
    parser = argparse.ArgumentParser(prog="make product")
    parser.add_argument("--security", action="store_true")
    parser.add_argument("--require", default="", help="ids, with commas, that must have a test")
    chosen = parser.parse_args()
    kind = "security" if chosen.security else "product"
    known, found = entries(kind), carriers(kind)
    for name in sorted(known, key=in_order):
        tests = found.get(name, [])
        say(f"{name}  {known[name]}")
        say("".join(f"    {test}\n" for test in tests) or "    (no test yet)\n")

    required = {name.strip() for name in chosen.require.split(",") if name.strip()}
    missing = sorted(required - set(found), key=in_order)
    unknown = sorted(set(found) - set(known))
    carried = len(set(known) & set(found))
    say(f"{carried} of {len(known)} ids have tests.")
    if missing:
        say(f"No test carries {', '.join(missing)}.")
    if unknown:
        say(f"Tests carry what {LISTS[kind].relative_to(ROOT)} lacks: {', '.join(unknown)}.")
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
