"""A PostgreSQL server of our own for the length of a test run.

It lives in a temporary folder, listens on a socket in it and nowhere else, and does
without durability unless asked. What runs as the machine's own server is left alone.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.debian import postgresql_program
from tools.shell import Failed

SUPERUSER = "klucznik_tests"
SYSTEM_USER = "postgres"

# Tests lose nothing by a crash, and open many connections from several processes.
NOT_DURABLE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off "
OPTIONS = "-c max_connections=300 -c shared_buffers=128MB -c listen_addresses= -k {folder}"


@contextmanager
def throw_away_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server, give its superuser's URL, stop the server and forget it all."""
    options = OPTIONS if durable else NOT_DURABLE + OPTIONS
    with tempfile.TemporaryDirectory(prefix="klucznik-postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root; Debian's package made a user for it.
            shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)
        data = folder / "data"
        _run(
            "initdb",
            *("-D", data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"),
            *("--auth=trust", "--no-sync"),
        )
        _run(
            "pg_ctl",
            *("-D", data, "-w", "-l", folder / "log"),
            *("-o", options.format(folder=folder), "start"),
        )
        try:
            yield f"postgresql+psycopg://{SUPERUSER}@/postgres?host={folder}"
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _run(program: str, *words: str | Path) -> None:
    path = postgresql_program(program)
    if path is None:
        raise Failed(f"PostgreSQL's {program} is missing")
    # Debian sets PostgreSQL's programs up for this user, and it may not enter root's folders.
    user = SYSTEM_USER if os.geteuid() == 0 else None
    result = subprocess.run(
        [str(path), *map(str, words)],
        check=False,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    if result.returncode:
        raise Failed(f"{program} failed: {result.stderr.strip()}")
