"""What commands of all programs share: their answers, to people in words, to programs in JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

_WIDER_THAN_ANY_ROW = 10_000

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Answer in JSON, for other programs."
)


def say_json(answer: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str))


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows for a person, as wide as the terminal is; into a file, nothing is cut."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDER_THAN_ANY_ROW)
    console.print(table)


def say_facts(facts: Mapping[str, object]) -> None:
    """Print names with their values, one a line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name:<{width}}  {'' if value is None else value}")


@contextmanager
def progress(what: str, *, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error; gives `at(done)`. Into a file, nothing is written.

    Where nobody knows how much there is, what is done is counted instead.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(text_format_no_percentage="{task.completed:,.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


class Grade(StrEnum):
    """How a check-up ended."""

    GOOD = "good"
    WORTH_KNOWING = "worth knowing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One result of a check-up: what was looked at, how it is, and what to do about it."""

    subject: str
    grade: Grade
    says: str
    remedy: str = ""
