"""Servers under measurement: pinned to a core, their CPU time and memory read from /proc."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60
_OPENER = build_opener(ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def cores() -> tuple[set[int], set[int]]:
    """A core for the server and the rest for the load; the same set where there is one core only.

    Found out once: later, this process has left the server's core.
    """
    mine = sorted(os.sched_getaffinity(0))
    return {mine[0]}, set(mine[1:]) or {mine[0]}


@dataclass
class Server:
    """A started process tree."""

    process: "subprocess.Popen[bytes]"
    ready_after: float = 0.0
    also: tuple[int, ...] = ()
    """Other processes that work for it: the database server."""

    def cpu_seconds(self) -> float:
        """CPU time that the whole tree has used, ended children included."""
        return sum(_cpu_seconds(pid) for pid in self._pids())

    def memory(self) -> tuple[float, float]:
        """MB of the largest process of the tree, and of the tree (shared pages split fairly)."""
        proportional = [_pss_mb(pid) for pid in _tree(self.process.pid)]
        largest = max(_rss_mb(pid) for pid in _tree(self.process.pid))
        return largest, sum(proportional)

    def _pids(self) -> Iterator[int]:
        for root in (self.process.pid, *self.also):
            yield from _tree(root)


@contextmanager
def server(
    command: Sequence[str | Path],
    *,
    ready: str,
    env: Mapping[str, str] | None = None,
    core: set[int] | None = None,
    log: Path,
    also: tuple[int, ...] = (),
) -> Iterator[Server]:
    """Start a server on its core, wait for its first good answer, stop it at the end."""
    pinned = core or cores()[0]
    with log.open("ab") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, pinned)), *map(str, command)],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Server(process, also=also)
    try:
        running.ready_after = _wait(process, ready, started, log)
        yield running
    finally:
        _stop(process)


def _wait(process: "subprocess.Popen[bytes]", url: str, started: float, log: Path) -> float:
    while not _answers(url):
        if process.poll() is not None or time.monotonic() - started > _START_SECONDS:
            said = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{process.args!r} did not start:\n{said}")
        time.sleep(0.005)
    return time.monotonic() - started


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tree(root: int) -> Iterator[int]:
    pending = [root]
    while pending:
        pid = pending.pop()
        yield pid
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except OSError:
            continue


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, and those of children that have ended (proc(5), fields 14 to 17).
    return sum(map(int, fields[11:15])) / _TICKS


def _rss_mb(pid: int) -> float:
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmRSS:") / 1024


def _pss_mb(pid: int) -> float:
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") / 1024


def _kilobytes(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
