"""`klucznik person import`: people from another system, with the passwords they have."""

import csv
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from idp.access.service import How
from idp.cli.application import in_application
from idp.person_import.files import Format, NotReadable, PeopleFile
from idp.person_import.service import Outcome, Result, Summary, bring_in
from kernel import clock
from kernel.command_line import json_option, progress, say_facts, say_json

_OPERATOR = "operator"
_SOME_ROWS_REFUSED, _FILE_NOT_READABLE = 1, 2
_MOST_SHOWN = 10
_PASSWORD_WORDS = {"none": "without a password"}
# What a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_JSON_LINES_NAMES = {".jsonl", ".ndjson", ".json"}


@dataclass
class _Told:
    """What the rows came to, as far as it is shown at the end."""

    write: Callable[[Result], object]
    shown: list[Result] = field(default_factory=list)
    rows: int = 0

    def __call__(self, result: Result) -> None:
        self.write(result)
        self.rows += 1
        if result.outcome is Outcome.REFUSED and len(self.shown) < _MOST_SHOWN:
            self.shown.append(result)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--format",
    "format_",
    type=click.Choice([one.value for one in Format]),
    help="How FILE is written. [by its name; - is CSV]",
)
@click.option("--dry-run", is_flag=True, help="Check every row; write nothing.")
@click.option("--strict", is_flag=True, help="Import nothing if any row is refused.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what became of each row to this file, as CSV or (by its name) JSON Lines.",
)
@click.option(
    "--access",
    type=click.Choice([how.value for how in How]),
    help="Mail those who come without a password a temporary one, or a link to set one.",
)
@json_option
@click.pass_context
@in_application
def import_people(
    context: click.Context,
    *,
    file: str,
    format_: str | None,
    dry_run: bool,
    strict: bool,
    report: Path | None,
    access: str | None,
    as_json: bool,
) -> None:
    """Bring in people, with password hashes of another system.

    FILE is CSV with a header, or JSON Lines; - reads standard input. Its columns are email,
    password_hash, email_verified, given_name, family_name, phone, locale and zoneinfo; only the
    first is needed. An address that has an ID is skipped, so a run can be repeated.

    Exit status 0: every row was created or skipped. 1: rows were refused. 2: the file can't be read.
    """
    if report is not None and report.resolve() == Path(file).resolve():
        raise click.UsageError("the report would overwrite the file that is read")
    how = How(access) if access is not None else None
    try:
        with _opened(file, again=strict) as stream:
            kind = Format(format_) if format_ is not None else _format_of(file)
            if strict and not dry_run:
                checked = _run(stream, kind, dry_run=True, report=report, how=None)
                if checked.summary.refused:
                    _say(checked, dry_run=True, as_json=as_json)
                    context.exit(_SOME_ROWS_REFUSED)
                stream.seek(0)
            done = _run(stream, kind, dry_run=dry_run, report=report, how=how)
    except NotReadable as unreadable:
        click.echo(f"klucznik: {unreadable.detail}", err=True)
        context.exit(_FILE_NOT_READABLE)
    _say(done, dry_run=dry_run, as_json=as_json)
    context.exit(_SOME_ROWS_REFUSED if done.summary.refused else 0)


@dataclass(frozen=True)
class _Done:
    summary: Summary
    refused: list[Result]
    ignored: list[str]


def _run(
    stream: BinaryIO, kind: Format, *, dry_run: bool, report: Path | None, how: How | None
) -> _Done:
    people = PeopleFile(stream, kind)
    what = "Checking" if dry_run else "Importing"
    size = _size(stream)
    with _reporting(report) as write, progress(what, total=size) as at:
        told = _Told(write)

        def tell(result: Result) -> None:
            told(result)
            # From a pipe come so many rows, for nobody knows how many bytes there will be.
            at(told.rows if size is None else people.bytes_read)

        summary = bring_in(people, by=_OPERATOR, now=clock.now, tell=tell, dry_run=dry_run, how=how)
    return _Done(summary, told.shown, sorted(people.ignored))


@contextmanager
def _opened(file: str, *, again: bool) -> Iterator[BinaryIO]:
    """The file as bytes. To read standard input twice, it is kept where nobody else can read it."""
    if file != "-":
        with Path(file).open("rb") as stream:
            yield stream
    elif not again:
        yield sys.stdin.buffer
    else:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy


def _size(stream: BinaryIO) -> int | None:
    """How many bytes there will be; None for a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size or None
    except OSError:
        return None


def _format_of(file: str) -> Format:
    return Format.JSON_LINES if Path(file).suffix.lower() in _JSON_LINES_NAMES else Format.CSV


@contextmanager
def _reporting(report: Path | None) -> Iterator[Callable[[Result], object]]:
    """Gives a function that writes one row of the report."""
    if report is None:
        yield lambda result: None
        return
    with report.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        yield _json_writer(stream) if _is_json(report) else _csv_writer(stream)


def _is_json(report: Path) -> bool:
    return _format_of(report.name) is Format.JSON_LINES


def _json_writer(stream: TextIO) -> Callable[[Result], object]:
    return lambda result: stream.write(json.dumps(asdict(result)) + "\n")


def _csv_writer(stream: TextIO) -> Callable[[Result], object]:
    writer = csv.writer(stream)
    writer.writerow(["line", "email", "outcome", "reason"])
    return lambda result: writer.writerow(
        [result.line, _harmless(result.email), result.outcome, result.reason]
    )


def _harmless(text: str) -> str:
    """A cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _say(done: _Done, *, dry_run: bool, as_json: bool) -> None:
    counts = {outcome.value: done.summary.outcomes[outcome] for outcome in Outcome}
    if as_json:
        say_json(_as_json(done, counts, dry_run=dry_run))
        return
    for result in done.refused:
        click.echo(f"! line {result.line}: {result.reason}", err=True)
    if done.summary.refused > len(done.refused):
        click.echo(f"! … {done.summary.refused} rows in all; --report has each", err=True)
    if done.ignored:
        click.echo(f"Not used: {', '.join(done.ignored[:20])}", err=True)
    say_facts(
        {
            "Would be created" if dry_run else "Created": counts["created"],
            "Skipped": counts["skipped"],
            "Refused": counts["refused"],
            **{
                f"  {_PASSWORD_WORDS.get(kind, kind)}": count
                for kind, count in done.summary.kinds.most_common()
            },
        }
    )


def _as_json(done: _Done, counts: dict[str, int], *, dry_run: bool) -> dict[str, Any]:
    return {
        **counts,
        "dry_run": dry_run,
        "passwords": dict(done.summary.kinds.most_common()),
        "first_refused": [asdict(result) for result in done.refused],
        "not_used": done.ignored,
    }
