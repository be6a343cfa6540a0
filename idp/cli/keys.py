"""`klucznik keys`: the keys that sign tokens."""

from dataclasses import asdict

import click

from idp.cli.application import in_application
from idp.keys import service
from idp.keys.service import KeySummary
from kernel import clock
from kernel.command_line import json_option, say_json, say_table


@click.group()
def keys() -> None:
    """Rotate and list the signing keys."""


@keys.command("list")
@json_option
@in_application
def list_(*, as_json: bool) -> None:
    """List the signing keys and what each does now."""
    _say(service.summaries(now=clock.now()), as_json=as_json)


@keys.command()
@json_option
@in_application
def rotate(*, as_json: bool) -> None:
    """Publish the next keys now. They sign once every client can have seen them."""
    _say(service.rotate(now=clock.now()), as_json=as_json)


@keys.command()
@click.argument("key_id")
@click.confirmation_option(
    prompt="What this key signed is worthless from now on: people sign in again. Go on?"
)
@in_application
def withdraw(key_id: str) -> None:
    """Stop believing a key that may be in wrong hands."""
    service.withdraw(key_id, now=clock.now())
    click.echo(f"{key_id} is withdrawn")


def _say(found: list[KeySummary], *, as_json: bool) -> None:
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["key", "algorithm", "state", "signs from"],
        [(one.id, one.algorithm, one.state, f"{one.signs_from:%Y-%m-%d %H:%M}") for one in found],
    )
