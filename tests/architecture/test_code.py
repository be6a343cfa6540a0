"""What no line of ours may do, wherever it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.packages import modules, tree_of

# Names of tables, roles and databases cannot be parameters; these quote what they put in.
WRITES_SQL = {
    "kernel/database/migrations.py": "grants, with names that the dialect quotes",
    "kernel/database/connections.py": "PRAGMA, with numbers of our own",
    "kernel/database/tenancy.py": "SET ROLE and policies, with names of our own",
    "kernel/outbox/service.py": "NOTIFY, with a constant of ours",
    "klucznik/db.py": "CREATE ROLE and CREATE DATABASE, quoted by the dialect and the server",
}


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call in our packages with the name of what is called."""
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                yield path, node, ast.unparse(node.func)


def imports() -> Iterator[tuple[Path, str]]:
    """Every module that ours import."""
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom):
                yield path, node.module or ""
            elif isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)


@pytest.mark.security("15.4")
def test_no_text_becomes_code():
    found = {
        f"{path}:{call.lineno}"
        for path, call, name in calls()
        if name in {"eval", "exec", "compile", "__import__", "render_template_string"}
    }

    assert found == set()


@pytest.mark.security("15.4")
def test_nothing_is_read_in_a_format_that_can_run():
    found = {
        f"{path}: {name}"
        for path, name in imports()
        if name.partition(".")[0] in {"pickle", "marshal", "shelve", "yaml", "dill", "jsonpickle"}
    }

    assert found == set()


@pytest.mark.security("15.4", "13.2")
def test_sql_is_never_put_together_from_strings():
    found = {
        str(path)
        for path, call, name in calls()
        if name.rpartition(".")[2] in {"text", "exec_driver_sql"}
        and call.args
        and not isinstance(call.args[0], ast.Constant)
    }

    assert found - set(WRITES_SQL) == set()


def test_no_excuse_for_sql_is_out_of_date():
    assert set(WRITES_SQL) <= {str(path) for path in modules()}


@pytest.mark.security("8.6")
def test_randomness_comes_from_the_operating_system():
    spreads_load = {"kernel/outbox/queue.py"}
    found = {str(path) for path, name in imports() if name in {"random", "numpy.random"}}

    assert found - spreads_load == set()


@pytest.mark.security("8.6")
def test_no_hash_is_broken():
    """Unless it says at the call that nothing hangs on it, as for published lists of passwords."""
    found = {
        f"{path}:{call.lineno}"
        for path, call, name in calls()
        if name in {"hashlib.md5", "hashlib.sha1", "hashes.MD5", "hashes.SHA1"}
        and "usedforsecurity=False" not in ast.unparse(call)
    }

    assert found == set()


@pytest.mark.security("18.7")
def test_no_cache_grows_without_a_limit():
    """`functools.cache` keeps what strangers name for good; one without arguments is a constant."""
    closed_sets = {
        "kernel/i18n/catalogs.py": "packages and languages",
        "kernel/i18n/choice.py": "languages that pages speak, of those that were found spoken",
        "kernel/web/assets.py": "packages",
    }
    found = set()
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.FunctionDef) or not node.args.args:
                continue
            for decorator in node.decorator_list:
                words = ast.unparse(decorator)
                if words in {"cache", "functools.cache"} or "maxsize=None" in words:
                    found.add(str(path))

    assert found - set(closed_sets) == set()


@pytest.mark.security("16.1")
def test_only_the_guarded_client_goes_out():
    """Whoever needs another HTTP client says here why."""
    clients = {"requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request"}
    allowed = {
        "kernel/outgoing": "this is the guarded client",
        "klucznik/run.py": "asks our own programs on loopback whether they are ready",
        "klucznik/doctor.py": "asks our own programs on loopback whether they are well",
    }
    found = {
        str(path)
        for path, name in imports()
        if name in clients and not any(str(path).startswith(start) for start in allowed)
    }

    assert found == set()


@pytest.mark.security("17.2")
def test_nothing_is_printed():
    """What happens goes to the log, where it is one line and without secrets."""
    found = {f"{path}:{call.lineno}" for path, call, name in calls() if name == "print"}

    assert found == set()


@pytest.mark.security("8.1")
def test_one_module_makes_and_reads_tokens_in_each_program():
    """Whoever could verify a JWT elsewhere could forget a check there."""
    makers = {
        str(path)
        for path, call, name in calls()
        if name in {"jwt.encode", "jwt.decode", "jws.serialize_compact", "jws.deserialize_compact"}
        and path.name not in {"jwt.py", "signed_tokens.py"}
        and any(name.startswith("joserfc") for file, name in imports() if file == path)
    }

    assert makers == set()


@pytest.mark.security("2.5")
def test_somebody_is_signed_in_in_one_place_only():
    """Whoever could begin a session elsewhere could forget a check there."""
    found = {
        str(path)
        for path, _, name in calls()
        if name == "sessions.start" and path.parts[0] in {"idp", "tenants", "consent"}
    }

    assert found == {"idp/sign_in/completion.py"}
