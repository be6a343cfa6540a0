"""`klucznik demo`: whom to sign in as, and where."""

from dataclasses import asdict

import click

from idp.demo import PEOPLE, lines
from idp.settings import IdentitySettings
from kernel.command_line import json_option, say_facts, say_json
from kernel.errors import Misconfigured


@click.command()
@json_option
def demo(*, as_json: bool) -> None:
    """Print the demo people and the addresses."""
    settings = IdentitySettings()
    if settings.production:
        raise Misconfigured("an installation in production has no demo people")
    addresses = {
        "identity": settings.issuer,
        "portal": settings.portal_url,
        "crm": settings.crm_url,
    }
    if as_json:
        say_json({"people": [asdict(person) for person in PEOPLE], "addresses": addresses})
        return
    say_facts(addresses)
    click.echo()
    for line in lines():
        click.echo(line)
