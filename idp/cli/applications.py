"""`klucznik application`: what applications let people do in accounts."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.cli.application import in_application
from idp.clients import service as clients
from kernel import clock
from kernel.command_line import json_option, say_json, say_table
from tenants.applications import service as applications
from tenants.applications.service import Declared
from tenants.database import db


class _Permission(BaseModel):
    """A permission in a declaration."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    label_en: str
    label_pl: str
    level: Literal["account", "company"] = "company"


class _Declaration(BaseModel):
    """What an application says of itself, in a file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    name: str
    audience: str
    context: Literal["none", "account", "company"]
    for_every_account: bool = False
    permissions: tuple[_Permission, ...] = ()


@click.group()
def application() -> None:
    """Declare what applications let people do, and list it."""


@application.command("list")
@json_option
@in_application
def list_(*, as_json: bool) -> None:
    """List the applications that accounts can have, with their permissions."""
    with db.reading() as session:
        found = applications.listed(session)
        declared = list(applications.declared(session).values())
    permissions = {
        one.id: [each for each in declared if each.right.application == one.id] for one in found
    }
    if as_json:
        say_json(
            [
                {**asdict(one), "permissions": [_facts(each) for each in permissions[one.id]]}
                for one in found
            ]
        )
        return
    say_table(
        ["id", "name", "context", "for", "permissions"],
        [
            (
                one.id,
                one.name,
                one.context,
                "every account" if one.for_every_account else "accounts that are given it",
                " ".join(each.right.permission for each in permissions[one.id]),
            )
            for one in found
        ],
    )


@application.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@in_application
def declare(file: Path, *, as_json: bool) -> None:
    """Declare an application as a JSON file describes it, with all its permissions.

    A permission that is missing from the file is retired: nobody has it until it returns. A new one
    is in no role but the admins'.
    """
    wanted = _read(file)
    with db.transaction() as session:
        changed = applications.declare(
            session,
            application=wanted.id,
            name=wanted.name,
            audience=wanted.audience,
            context=wanted.context,
            for_every_account=wanted.for_every_account,
            permissions=[Declared(**one.model_dump()) for one in wanted.permissions],
            now=clock.now(),
        )
        if changed:
            clients.applications_changed(session)
    if as_json:
        say_json({"application": wanted.id, "changed": changed})
        return
    click.echo(f"{wanted.id} is declared" if changed else f"{wanted.id} was declared so already")


def _read(file: Path) -> _Declaration:
    try:
        return _Declaration.model_validate_json(file.read_bytes())
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise click.BadParameter(f"{where}: {first['msg']}", param_hint="FILE") from wrong


def _facts(one: applications.PermissionSummary) -> dict[str, Any]:
    return {
        "name": one.right.permission,
        "label_en": one.label_en,
        "label_pl": one.label_pl,
        "level": one.level,
    }
