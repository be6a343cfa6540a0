"""The table that a run prints."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from bench import rows
from bench.rows import Row

MET_AIM, MET, MISSED = "yes, and the aim", "yes", "NO"
_VERDICTS = frozenset({MET_AIM, MET, MISSED})


@dataclass
class Results:
    """Figures a CPU-second, by scenario; memory in MB; times in seconds."""

    rates: dict[str, float] = field(default_factory=dict)
    memory: float = 0.0
    memory_of_all: float = 0.0
    cold_start: float = 0.0
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One printed row."""

    title: str
    ours: str
    other: str
    ratio: str
    must: str
    verdict: str

    @property
    def meets_must(self) -> bool | None:
        """None for a row that has no target, or was not measured."""
        return None if self.verdict not in _VERDICTS else self.verdict != MISSED


def lines(
    ours: Results,
    peer: Results,
    *,
    bare_rate: float,
    hash_seconds: float,
    postgresql: Results | None,
) -> Iterator[Line]:
    """Every row, in the order of the targets."""
    for row in rows.ROWS:
        yield _against_peer(row, ours.rates.get(row.scenario), peer.rates.get(row.scenario))
    yield from _sign_in(ours, peer, hash_seconds)
    yield _at_most(
        "memory after load, MB", ours.memory, peer.memory, rows.MEMORY_MUST, rows.MEMORY_AIM
    )
    yield _at_most(
        "cold start, s", ours.cold_start, peer.cold_start, rows.COLD_START_MUST, rows.COLD_START_AIM
    )
    if postgresql is not None:
        yield from _on_postgresql(ours, postgresql)
    yield Line("floor: bare WSGI on the same server", "", f"{bare_rate:,.0f}", "", "", "")
    yield Line("floor: Argon2id alone", "", f"{1 / hash_seconds:,.1f}", "", "", "")


def as_markdown(printed: Sequence[Line]) -> str:
    """The table for a page of the documentation."""
    rows_ = [_HEADINGS, tuple("---" for _ in _HEADINGS), *map(_cells, printed)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows_)


def as_json(printed: Sequence[Line]) -> str:
    """The table for a program that compares runs."""
    found = [{**asdict(line), "meets_must": line.meets_must} for line in printed]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def summary(printed: Sequence[Line]) -> str:
    """How many rows meet what they must, and which don't."""
    judged = [line for line in printed if line.meets_must is not None]
    missed = [line.title for line in judged if not line.meets_must]
    said = f"{len(judged) - len(missed)} of {len(judged)} rows meet what they must."
    return f"{said} Missed: {', '.join(missed)}." if missed else said


def _cells(line: Line) -> tuple[str, ...]:
    return (line.title, line.ours, line.other, line.ratio, line.must, line.verdict)


_HEADINGS = ("", "ours", "peer or floor", "ratio", "must", "meets it")


def _against_peer(row: Row, ours: float | None, peer: float | None) -> Line:
    if ours is None or peer is None:
        return Line(row.title, _number(ours), _number(peer), "", "", "not measured")
    ratio = ours / peer
    reached = ours if row.absolute else ratio
    must = f"{row.must:,.0f}/s" if row.absolute else f"{row.must:.2f} ×"
    return Line(
        row.title,
        _number(ours),
        _number(peer),
        f"{ratio:.2f} ×",
        must if row.must else "",
        _verdict(reached, row.must, row.aim) if row.must else "for information",
    )


def _sign_in(ours: Results, peer: Results, hash_seconds: float) -> Iterator[Line]:
    rate = ours.rates.get(rows.SIGN_IN)
    if not rate:
        yield _against_peer(rows.SIGN_IN_WITHOUT_HASH, None, peer.rates.get(rows.SIGN_IN))
        return
    rest = 1 / rate - hash_seconds
    without = 1 / rest if rest > 0 else None
    yield _against_peer(rows.SIGN_IN_WITHOUT_HASH, without, peer.rates.get(rows.SIGN_IN))
    share = rate * hash_seconds
    yield Line(
        "complete sign-in, against Argon2id alone",
        _number(rate),
        _number(1 / hash_seconds),
        f"{share:.2f} ×",
        f"{rows.WITH_HASH_MUST:.2f} ×",
        _verdict(share, rows.WITH_HASH_MUST, rows.WITH_HASH_AIM),
    )


def _at_most(title: str, ours: float, peer: float, must: float, aim: float) -> Line:
    if not ours:
        return Line(title, "", "", "", "", "not measured")
    return Line(
        title,
        f"{ours:.2f}",
        f"{peer:.2f}",
        f"{ours / peer:.2f} ×" if peer else "",
        f"≤ {must:g}",
        _verdict(-ours, -must, -aim),
    )


def _on_postgresql(ours: Results, postgresql: Results) -> Iterator[Line]:
    for row in (*rows.ROWS, rows.SIGN_IN_WITHOUT_HASH):
        there, here = postgresql.rates.get(row.scenario), ours.rates.get(row.scenario)
        title = "complete sign-in" if row.scenario == rows.SIGN_IN else row.title
        if not there or not here:
            yield Line(f"PostgreSQL: {title}", _number(there), "", "", "", "not measured")
            continue
        ratio = there / here
        yield Line(
            f"PostgreSQL: {title}",
            _number(there),
            _number(here),
            f"{ratio:.2f} ×",
            f"{rows.ON_POSTGRESQL_MUST:.2f} ×",
            _verdict(ratio, rows.ON_POSTGRESQL_MUST, rows.ON_POSTGRESQL_AIM),
        )


def _verdict(reached: float, must: float, aim: float) -> str:
    if reached >= aim:
        return MET_AIM
    return MET if reached >= must else MISSED


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"
