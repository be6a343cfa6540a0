"""`klucznik passwords`: lists of breached ones, and an end to imported ones that nobody uses."""

from datetime import timedelta
from pathlib import Path

import click

from idp.cli.application import in_application
from idp.credentials import breached, imported
from idp.settings import IdentitySettings
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json
from kernel.errors import Misconfigured

# As the audit trail names who works at the command line.
_OPERATOR = "operator"


@click.group()
def passwords() -> None:
    """Refuse breached passwords; drop imported ones."""


@passwords.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def add(file: Path, *, as_json: bool) -> None:
    """Refuse the passwords of FILE from the next start on.

    A line is a password, or the SHA-1 of one in hexadecimal digits, with or without `:count`. Any
    size will do: it is kept on disk as a filter of three bytes a password.
    """
    folder = IdentitySettings().breached_passwords
    if folder is None:
        raise Misconfigured("KLUCZNIK_BREACHED_PASSWORDS names no folder")
    added = breached.add(file, folder)
    answer = {"added": added, "in_all": breached.BreachedPasswords(folder).size}
    if as_json:
        say_json(answer)
    else:
        say_facts(answer)


@passwords.command("drop-imported")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=0),
    required=True,
    help="Days since the import; 0 for all of them.",
)
@click.confirmation_option(
    prompt="Whoever has not signed in since the import sets a new password by mail. Go on?"
)
@json_option
@in_application
def drop_imported(*, days: int, as_json: bool) -> None:
    """Drop imported passwords that nobody has signed in with; the people stay.

    From then on they come in by «forgot password», and old hashes lie about no longer.
    """
    now = clock.now()
    answer = {"dropped": imported.forget(before=now - timedelta(days=days), by=_OPERATOR, now=now)}
    if as_json:
        say_json(answer)
    else:
        say_facts(answer)
