"""`klucznik demo`: whom to sign in as, and where; and a crowd to measure with."""

from dataclasses import asdict

import click

from idp.cli.application import in_application
from idp.demo import PEOPLE, lines
from idp.demo import crowd as demo_crowd
from idp.demo.crowd import PASSWORD
from idp.settings import IdentitySettings
from kernel import clock
from kernel.command_line import json_option, progress, say_facts, say_json
from kernel.errors import Misconfigured
from tenants.crowd import service as crowd


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def demo(context: click.Context, *, as_json: bool) -> None:
    """Print the demo people and the addresses."""
    settings = IdentitySettings()
    if settings.production:
        raise Misconfigured("an installation in production has no demo people")
    if context.invoked_subcommand is not None:
        return
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


@demo.command("grow")
@click.option("--people", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--accounts", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--companies", type=click.IntRange(min=1), default=1_000, show_default=True)
@click.option(
    "--with-password",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="How many of them can sign in.",
)
@in_application
def grow(*, people: int, accounts: int, companies: int, with_password: int) -> None:
    """Add a crowd, to see how the installation does when it is large."""
    size = crowd.Size(people=people, accounts=accounts, companies=max(companies, accounts))
    with_password = min(with_password, people)
    done = 0
    with progress("growing", total=size.rows + with_password) as at:

        def tell(count: int) -> None:
            nonlocal done
            done += count
            at(done)

        demo_crowd.grow(size, with_password=with_password, now=clock.now(), tell=tell)
    click.echo(f"{people} people, {accounts} accounts, {size.companies} companies")
    click.echo(f"the first {with_password} sign in as {crowd.email_of(0)} … with: {PASSWORD}")
