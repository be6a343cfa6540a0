"""Where things stand: tests beside their code, imports at the top, names that hide nothing."""

import ast
import re
import sys

from tests.architecture.packages import PACKAGES, ROOT, modules, tree_of

# Folders of tests that are about several packages at once.
ACROSS = (
    *(
        "architecture",
        "conformance",
        "fuzz",
        "journeys",
        "independent_clients",
        "isolation",
        "properties",
        "soak",
        "two_ways",
    ),
)

# Modules whose only job is to be started, each covered by the tests that start it.
UNTESTED = {
    "klucznik/__main__.py": "started as a program by the tests of the command line",
}


def _has_logic(path) -> bool:
    """Whether a module decides anything: a function with a branch, a loop or a raise."""
    decides = ast.If | ast.For | ast.While | ast.Raise | ast.Try | ast.Match | ast.IfExp
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(isinstance(inner, decides) for inner in ast.walk(node))
        for node in ast.walk(tree_of(path))
    )


def _test_of(path) -> str:
    name = f"test_{path.parent.name}.py" if path.name == "__init__.py" else f"test_{path.name}"
    return f"tests/{path.parent}/{name}"


def test_every_module_with_logic_has_its_tests():
    alone = {
        str(path) for path in modules() if _has_logic(path) and not (ROOT / _test_of(path)).exists()
    }

    assert alone - set(UNTESTED) == set()


def test_no_excuse_is_out_of_date():
    stale = {path for path in UNTESTED if not (ROOT / path).exists()}

    assert stale == set()


def test_every_test_stands_where_its_code_stands():
    lost = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        inside = path.relative_to(ROOT / "tests")
        if len(inside.parts) == 1 or inside.parts[0] in (*ACROSS, "tools", "bench"):
            continue
        module = inside.with_name(inside.name.removeprefix("test_"))
        package = inside.parent / "__init__.py"
        if not (ROOT / module).exists() and not (
            module.stem == inside.parent.name and (ROOT / package).exists()
        ):
            lost.append(str(inside))

    assert lost == []


def test_nothing_is_imported_inside_a_function():
    """An import inside a function is the smell of a missing layer, but for what most never need."""
    heavy = {
        "idp/credentials/ceremonies.py": "the WebAuthn library: 12 MB and a third of a second",
        "kernel/outbox/worker.py": "the driver of PostgreSQL: 7 MB, for nothing on SQLite",
        "tenants/people/address.py": "tables of characters: a thirtieth of a start that reads no address",
    }
    inside = {
        f"{path}:{node.lineno}"
        for path in modules()
        if str(path) not in heavy
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert inside == set()


def test_no_top_level_name_hides_the_standard_library():
    names = {
        path.stem
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and (path.is_dir() or path.suffix == ".py")
    }

    assert names & set(sys.stdlib_module_names) == set()


def test_every_package_says_on_the_door_what_it_is_for():
    silent = {
        str(path)
        for path in modules()
        if path.name == "__init__.py" and not ast.get_docstring(tree_of(path))
    }

    assert silent == set()


def test_no_module_is_a_drawer_for_odds_and_ends():
    named = {path.stem for path in modules()}

    assert named & {"helpers", "utils", "util", "common", "misc", "tools"} == set()


def test_every_package_is_under_the_import_rules():
    rules = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"root_packages = \[(.*?)\]", rules, re.DOTALL)

    assert listed
    assert set(re.findall(r'"(\w+)"', listed[1])) == set(PACKAGES)


def test_the_protocol_vocabulary_is_pure():
    """No Flask, no database, nothing of ours: what a specification says, and how it is spelled."""
    allowed = {*sys.stdlib_module_names, "cryptography", "joserfc", "authlib"}
    impure = set()
    for path in modules("idp/protocol"):
        for node in ast.walk(tree_of(path)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                first = name.partition(".")[0]
                if first in allowed and ".integrations" not in name:
                    continue
                if not f"{name}.".startswith("idp.protocol."):
                    impure.add(f"{path}: {name}")

    assert impure == set()


def test_only_edges_ask_what_time_it_is():
    """Services are told `now`, so that tests can state noon."""
    edges = {
        *("views.py", "worker.py", "app.py", "cli.py"),
        # What stands around views, and what the worker calls to deliver.
        *("guard.py", "pages.py", "preferences.py", "fast_path.py"),
        *("backchannel.py", "delivery.py", "sending.py"),
    }
    askers = {
        str(path)
        for path in modules("tenants", "consent", "idp", "relying_party", "portal", "crm")
        if "clock.now()" in (ROOT / path).read_text()
        and path.name not in edges
        and not {"cli", "demo", "views"} & set(path.parts)
    }

    assert askers == set()


def test_nothing_is_left_for_later():
    words = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplemented")
    found = {str(path) for path in modules() if words.search((ROOT / path).read_text())}

    assert found == set()


def test_no_test_is_skipped():
    words = re.compile(r"pytest\.(skip|mark\.skip|mark\.skipif|mark\.xfail|importorskip)")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path.name != "test_layout.py" and words.search(path.read_text())
    }

    assert found == set()
