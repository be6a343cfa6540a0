"""`klucznik account companies`: the companies of one account."""

from dataclasses import asdict
from functools import partial
from typing import Any

import click

from idp.cli.application import in_application
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json, say_table
from kernel.pages import every
from tenants.companies import service as companies
from tenants.companies.service import CompanySummary
from tenants.database import db

_BY = "operator"


@click.group("companies")
def companies_() -> None:
    """List, create, edit, archive and restore companies."""


@companies_.command("list")
@click.argument("account_id")
@click.option("--text", default="", help="Part of a name, a NIP, or a key.")
@click.option("--archived", is_flag=True, help="Those that are archived instead.")
@json_option
@in_application
def list_(account_id: str, *, text: str, archived: bool, as_json: bool) -> None:
    """List the companies of an account by name."""
    with db.reading(tenant=account_id) as session:
        reading = partial(companies.listed, session, account_id, text=text, archived=archived)
        found = list(every(reading))
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["key", "name", "nip", "town", ""],
        [(one.id, one.name, one.nip, one.town, "main" if one.is_main else "") for one in found],
    )


@companies_.command()
@click.argument("account_id")
@click.option("--name", required=True)
@click.option("--nip")
@click.option("--street")
@click.option("--postcode")
@click.option("--town")
@click.option("--country", help="Two letters, as PL.")
@json_option
@in_application
def create(account_id: str, *, as_json: bool, **details: str | None) -> None:
    """Create a company on an account. Its key is made by the system."""
    with db.transaction(tenant=account_id) as session:
        made = companies.create(session, account_id, _given(details), actor=_BY, now=clock.now())
    _say(made, as_json=as_json)


@companies_.command()
@click.argument("account_id")
@click.argument("key")
@click.option("--name")
@click.option("--nip")
@click.option("--street")
@click.option("--postcode")
@click.option("--town")
@click.option("--country", help="Two letters, as PL.")
@json_option
@in_application
def change(account_id: str, key: str, *, as_json: bool, **details: str | None) -> None:
    """Change a company's details. An empty text takes one away."""
    with db.transaction(tenant=account_id) as session:
        made = companies.change(
            session, account_id, key, _given(details), version=None, actor=_BY, now=clock.now()
        )
    _say(made, as_json=as_json)


@companies_.command()
@click.argument("account_id")
@click.argument("key")
@json_option
@in_application
def archive(account_id: str, key: str, *, as_json: bool) -> None:
    """Put a company away: nobody works in it until it is restored."""
    with db.transaction(tenant=account_id) as session:
        made = companies.archive(session, account_id, key, version=None, actor=_BY, now=clock.now())
    _say(made, as_json=as_json)


@companies_.command()
@click.argument("account_id")
@click.argument("key")
@json_option
@in_application
def restore(account_id: str, key: str, *, as_json: bool) -> None:
    """Take a company back out of the archive."""
    with db.transaction(tenant=account_id) as session:
        made = companies.restore(session, account_id, key, version=None, actor=_BY, now=clock.now())
    _say(made, as_json=as_json)


def _given(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}


def _say(one: CompanySummary, *, as_json: bool) -> None:
    facts = asdict(one)
    if as_json:
        say_json(facts)
        return
    say_facts({name: value for name, value in facts.items() if value is not None})
