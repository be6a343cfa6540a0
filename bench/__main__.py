"""Measure and print. Takes some minutes and ends by itself; `--quick` takes one."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import floor, ours, peer, rows
from bench.driver import CONNECTIONS, Load, Unexpected, repeat, request
from bench.explain import explain
from bench.processes import Server, cores, free_port, server
from bench.report import Results, as_json, as_markdown, lines, summary
from bench.scenarios import Side, scenarios
from tools.postgresql import throw_away_server
from tools.shell import Failed

_DEADLINE_SECONDS = 9 * 60
_POSTGRESQL_TREE = "data/postmaster.pid"


class Bench:
    """One run: how long each row takes, and where things are written meanwhile."""

    def __init__(self, folder: Path, *, quick: bool, only: list[str]) -> None:
        self.folder = folder
        self.warm_up, self.measured = (0.3, 0.7) if quick else (1.5, 4.0)
        self.hashes = 20 if quick else 100
        self.scenarios = [name for name in rows.SCENARIOS if not only or name in only]
        self.ends = time.monotonic() + _DEADLINE_SECONDS

    def ours(self, name: str, *, database_url: str = "", also: tuple[int, ...] = ()) -> Results:
        """Measure our identity program on one database."""
        folder = self.folder / name
        folder.mkdir()
        with ours.running(folder, database_url=database_url, also=also) as running:
            results = self._measure(name, running.server, running.side)
            results.cold_start = running.server.ready_after
            return results

    def peer(self) -> Results:
        """Measure npm oidc-provider."""
        side, file = peer.configure(self.folder, free_port())
        port = side.issuer.rpartition(":")[2]
        with server(
            ["node", peer.SCRIPT, port, file],
            ready=side.url("discovery"),
            env={"NODE_ENV": "production"},
            log=self.folder / "peer.log",
        ) as running:
            results = self._measure("peer", running, side)
            results.cold_start = running.ready_after
            return results

    def bare(self) -> float:
        """Measure the smallest answer on the server that serves us."""
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "bench.floor", str(port)]
        with server(command, ready=url, log=self.folder / "floor.log") as running:
            return self._rate(running, Load(url, repeat(request("GET", url))))

    def _measure(self, who: str, running: Server, side: Side) -> Results:
        results = Results()
        for name, scenario in scenarios(side).items():
            if name not in self.scenarios:
                continue
            if time.monotonic() > self.ends:
                results.problems[name] = "out of time"
                continue
            _say(f"{who}: {name}")
            try:
                results.rates[name] = self._rate(running, Load(side.issuer, scenario))
            except Unexpected as unexpected:
                results.problems[name] = str(unexpected)
                _say(f"{who}: {name} went wrong: {str(unexpected)[:1500]}")
        results.memory, results.memory_of_all = running.memory()
        return results

    def _rate(self, running: Server, load: Load) -> float:
        with load:
            load.warm_up(seconds=self.warm_up)
            before = running.cpu_seconds()
            count = load.go_on(seconds=self.measured)
            used = running.cpu_seconds() - before
        # The kernel counts in hundredths of a second: too little says nothing.
        if used < 0.1 or not count.operations:
            raise Unexpected(f"only {count.operations} operations in {used:.2f} s of CPU")
        return count.operations / used


def main() -> int:
    """Measure everything that can be, print it, and say what is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute, rough figures")
    parser.add_argument("--only", action="append", default=[], choices=rows.SCENARIOS)
    parser.add_argument("--without-postgresql", action="store_true")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a «must» is missed")
    parser.add_argument(
        "--explain", choices=rows.SCENARIOS, help="where the time of one scenario goes, instead"
    )
    parser.add_argument("--statements", action="store_true", help="with --explain: its SQL")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--markdown", type=Path, help="the same as a table of Markdown")
    asked = parser.parse_args()
    if asked.explain:
        with tempfile.TemporaryDirectory(prefix="klucznik-bench-") as name:
            explain(Path(name), asked.explain, statements=asked.statements)
        return 0
    if not shutil.which("node") or not shutil.which("taskset"):
        sys.exit("The benchmarks need node (for the peer) and taskset (Debian: util-linux).")

    started = time.monotonic()
    server_core, load_cores = cores()
    os.sched_setaffinity(0, load_cores)
    with tempfile.TemporaryDirectory(prefix="klucznik-bench-", ignore_cleanup_errors=True) as name:
        bench = Bench(Path(name), quick=asked.quick, only=asked.only)
        _say("floor")
        hash_seconds = floor.argon2_cpu_seconds(server_core, times=bench.hashes)
        bare = bench.bare()
        theirs = bench.peer()
        sqlite = bench.ours("sqlite")
        postgresql = None if asked.without_postgresql else _on_postgresql(bench, server_core)
        printed = list(
            lines(sqlite, theirs, bare_rate=bare, hash_seconds=hash_seconds, postgresql=postgresql)
        )
    if asked.json:
        asked.json.write_text(as_json(printed), encoding="utf-8")
    if asked.markdown:
        asked.markdown.write_text(as_markdown(printed), encoding="utf-8")
    table = Table(
        "", "ours", "peer or floor", "ratio", "must", "meets it", box=None, pad_edge=False
    )
    for column in table.columns[1:5]:
        column.justify = "right"
    for line in printed:
        table.add_row(line.title, line.ours, line.other, line.ratio, line.must, line.verdict)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(
        f"\nOperations a CPU-second of the whole server (its processes, and the database's), "
        f"{CONNECTIONS} connections, server on core {min(server_core)}, load on "
        f"{sorted(load_cores)}. Peer: npm oidc-provider, in memory. «PostgreSQL» rows stand "
        "beside our SQLite figure.\n"
    )
    console.print(table)
    console.print(
        f"\nOurs: largest process {sqlite.memory:.0f} MB, all {sqlite.memory_of_all:.0f} MB. "
        f"{time.monotonic() - started:.0f} s in all. Only ratios of one run can be compared."
    )
    problems = {**sqlite.problems, **theirs.problems, **(postgresql or sqlite).problems}
    for scenario, problem in problems.items():
        console.print(f"! {scenario}: {problem}", markup=False)
    console.print(summary(printed))
    missed = any(line.meets_must is False for line in printed)
    return 1 if problems or (asked.strict and missed) else 0


def _on_postgresql(bench: Bench, core: set[int]) -> Results | None:
    """The same on a throw-away cluster, durable, on the server's core; None where there is none."""
    try:
        with _on_core(core), throw_away_server(durable=True) as url:
            folder = Path(url.partition("host=")[2])
            postmaster = int((folder / _POSTGRESQL_TREE).read_text().split()[0])
            os.sched_setaffinity(0, cores()[1])
            return bench.ours("postgresql", database_url=url, also=(postmaster,))
    except Failed as missing:
        _say(f"PostgreSQL is left out: {missing}")
        return None


@contextmanager
def _on_core(core: set[int]) -> Iterator[None]:
    """What is started here runs on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, before)


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
