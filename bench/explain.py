"""Where the time of a scenario goes: `python -m bench --explain sign_in`.

One browser, in this process and without a server: each request with its CPU time, its statements
and commits; then the share of each layer, from a profile (which itself makes small calls dearer).
"""

import cProfile
import io
import pstats
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event

from bench import ours
from bench.driver import Browser, Reply, Scenario, Steps
from bench.scenarios import Side, Visitor, scenarios

_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_WARM_UP = 5
_MEASURED = 30
# The first that fits names the layer; what fits nothing is Python's own library.
_LAYERS = (
    ("Argon2", re.compile(r"argon2")),
    ("the database itself", re.compile(r"'sqlite3\.|psycopg")),
    ("signatures and hashes", re.compile(r"cryptography|joserfc|hashlib|hmac|_hashlib")),
    ("SQLAlchemy", re.compile(r"sqlalchemy")),
    ("pages", re.compile(r"jinja2|markupsafe|babel|wtforms|flask_wtf|/templates/|<template>")),
    ("Flask and Werkzeug", re.compile(r"/flask/|werkzeug|itsdangerous")),
    ("kernel", re.compile(r"/kernel/")),
    ("idp, tenants, consent", re.compile(r"/(?:idp|tenants|consent)/")),
    ("authlib", re.compile(r"authlib")),
)


@dataclass
class Asked:
    """What one request of a scenario cost, over all its repetitions."""

    times: list[float] = field(default_factory=list)
    statements: Counter[str] = field(default_factory=Counter)
    commits: int = 0

    @property
    def usual(self) -> float:
        """The median, in microseconds."""
        return sorted(self.times)[len(self.times) // 2] * 1e6

    def each(self, count: float) -> float:
        return count / len(self.times)


class Watch:
    """Counts statements and commits, of sessions and of hot transactions."""

    def __init__(self, engine: Engine) -> None:
        self.statements: list[str] = []
        self.commits = 0
        event.listen(engine, "before_cursor_execute", self._on_statement)
        event.listen(engine, "commit", self._on_commit)

    def watching(self, run: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
        """The door of hot statements, watched."""

        def watched(cursor: Any, sql: str, parameters: Any) -> None:
            if sql == "COMMIT":
                self.commits += 1
            self._note(sql)
            run(cursor, sql, parameters)

        return watched

    def _on_statement(self, _c: Any, _d: Any, statement: str, *_rest: Any) -> None:
        self._note(statement)

    def _on_commit(self, _connection: Any) -> None:
        self.commits += 1

    def _note(self, sql: str) -> None:
        if not sql.startswith(_FRAMES):
            self.statements.append(" ".join(sql.split()))


class Direct:
    """Sends requests to a WSGI program without a network."""

    def __init__(self, app: Callable[..., Iterable[bytes]], watch: Watch) -> None:
        self._app = app
        self._watch = watch
        self.asked: dict[str, Asked] = {}

    def send(self, raw: bytes, *, place: int = 0) -> Reply:
        environ = environ_of(raw)
        said: list[Any] = []
        self._watch.statements, self._watch.commits = [], 0
        started = time.thread_time()
        body = b"".join(self._app(environ, lambda *answer: said.extend(answer)))
        spent = time.thread_time() - started
        path = re.sub(r"\?.*", "", environ["PATH_INFO"])
        name = f"{place}. {environ['REQUEST_METHOD']} {path}"
        asked = self.asked.setdefault(name, Asked())
        asked.times.append(spent)
        asked.statements.update(self._watch.statements)
        asked.commits += self._watch.commits
        head = "\r\n".join(
            [f"HTTP/1.1 {said[0]}", *(f"{name}: {value}" for name, value in said[1])]
        )
        return Reply(int(said[0][:3]), head.encode("latin-1"), body)


class Walk:
    """One browser's way through a scenario, again and again."""

    def __init__(self, direct: Direct, scenario: Scenario) -> None:
        self._direct = direct
        self._finished = 0
        self._steps: Steps = scenario(0, self._done)
        self._raw = next(self._steps)
        self._place = 1

    def _done(self) -> None:
        self._finished += 1
        self._place = 0

    def go_on(self, *, times: int) -> None:
        """Walk through the scenario so many times."""
        ends = self._finished + times
        while self._finished < ends:
            self._raw = self._steps.send(self._direct.send(self._raw, place=self._place))
            self._place += 1


def environ_of(raw: bytes) -> dict[str, Any]:
    """A request's bytes as a WSGI server hands them over."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ


def explain(folder: Path, name: str, *, statements: bool, database_url: str = "") -> None:
    """Print where the time of a scenario goes."""
    prepared = ours.prepare(folder, database_url=database_url)
    prepared.use()
    # Not before: the settings are read from the environment of the installation.
    from idp.app import create_app  # noqa: PLC0415
    from kernel.database import hot  # noqa: PLC0415
    from klucznik.programs import PROGRAMS, load  # noqa: PLC0415
    from tenants.database import db  # noqa: PLC0415

    app = create_app()
    # Lines are written as ever, and not shown.
    sys.stdout, shown = Path("/dev/null").open("w"), sys.stdout  # noqa: SIM115
    with app.app_context():
        watch = Watch(db.engine)
    hot.run = watch.watching(hot.run)  # type: ignore[assignment]
    hot.run_each = watch.watching(hot.run_each)  # type: ignore[assignment]
    direct = Direct(load(PROGRAMS["identity"].fast_path)(app), watch)
    side = _known(prepared.side, direct)
    walk = Walk(direct, scenarios(side)[name])
    walk.go_on(times=_WARM_UP)
    direct.asked.clear()
    walk.go_on(times=_MEASURED)
    asked, direct.asked = direct.asked, {}
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    walk.go_on(times=_MEASURED)
    profile.disable()
    sys.stdout = shown
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(_requests(name, asked))
    console.print(_layers(profile))
    if statements:
        for request, one in asked.items():
            console.print(f"\n{request}")
            for text, count in one.statements.items():
                console.print(f"  {one.each(count):4.1f} × {text}", markup=False, soft_wrap=True)


def _known(side: Side, direct: Direct) -> Side:
    """The first visitor, in a browser that remembers the second factor."""
    visitor = side.visitors[0]
    browser = Browser(side.issuer)
    steps = side.pages(browser, visitor)
    try:
        raw = next(steps)
        while True:
            raw = steps.send(direct.send(raw))
    except StopIteration:
        device = {name: value for name, value in browser.cookies.items() if "device" in name}
    known = Visitor(visitor.email, visitor.password, device)
    return Side(**{**vars(side), "visitors": [known]})


def _requests(name: str, asked: dict[str, Asked]) -> Table:
    table = Table(f"{name}: request", "CPU, µs", "statements", "commits", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for request, one in asked.items():
        count = one.each(sum(one.statements.values()))
        table.add_row(request, f"{one.usual:,.0f}", f"{count:.1f}", f"{one.each(one.commits):.1f}")
    every = list(asked.values())
    table.add_row(
        "together",
        f"{sum(one.usual for one in every):,.0f}",
        f"{sum(one.each(sum(one.statements.values())) for one in every):.1f}",
        f"{sum(one.each(one.commits) for one in every):.1f}",
    )
    return table


def _layers(profile: cProfile.Profile) -> Table:
    spent: Counter[str] = Counter()
    for layer, seconds in _shares(pstats.Stats(profile)):
        spent[layer] += seconds  # type: ignore[assignment]
    whole = sum(spent.values())
    table = Table("layer", "share of the profile", "µs a time", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for layer, seconds in spent.most_common():
        table.add_row(layer, f"{seconds / whole:.0%}", f"{seconds / _MEASURED * 1e6:,.0f}")
    return table


def _shares(stats: pstats.Stats) -> Iterator[tuple[str, float]]:
    """Own time of each function by layer; what is written in C counts to who called it."""
    rows: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    for function, (_, _, own, _, callers) in rows.items():
        layer = layer_of(function)
        if layer is not None or function[0] != "~" or not callers:
            yield layer or "Python", own
            continue
        for caller, (_, _, of_caller, _) in callers.items():
            yield layer_of(caller) or "Python", of_caller


def layer_of(function: tuple[str, int, str]) -> str | None:
    """The layer that a function of a profile belongs to.

    >>> layer_of(("/x/site-packages/sqlalchemy/orm/session.py", 1, "execute"))
    'SQLAlchemy'
    """
    file, _, name = function
    place = name if file == "~" else f"/{file.rpartition('site-packages/')[2]}"
    return next((layer for layer, pattern in _LAYERS if pattern.search(place)), None)
