"""What commands of all programs share: saying things to people, and to programs as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Answer in JSON, for other programs."
)


def say_json(answer: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str))


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows for a person, as wide as the terminal is."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(soft_wrap=not Console().is_terminal).print(table)


def say_facts(facts: Mapping[str, object]) -> None:
    """Print names with their values, one a line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name:<{width}}  {'' if value is None else value}")
