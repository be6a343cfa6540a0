"""`klucznik passwords`: lists of breached passwords, which nobody may choose (again)."""

from pathlib import Path

import click

from idp.credentials import breached
from idp.settings import IdentitySettings
from kernel.command_line import json_option, say_facts, say_json
from kernel.errors import Misconfigured


@click.group()
def passwords() -> None:
    """Refuse breached passwords."""


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
