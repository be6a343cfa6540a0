"""`klucznik keys`: the keys that sign tokens, and what is sealed by the keys of the settings."""

from dataclasses import asdict

import click

from idp.cli.application import in_application
from idp.keys import service
from idp.keys.service import KeySummary
from idp.resealing import everything_sealed_anew
from kernel import clock
from kernel.command_line import json_option, progress, say_json, say_table

# As the audit trail names who works at the command line.
_OPERATOR = "operator"


@click.group()
def keys() -> None:
    """Rotate signing keys; end the use of old encryption keys."""


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


# Keys of older installations may have an id that begins with a hyphen: it is an id all the same.
@keys.command(context_settings={"ignore_unknown_options": True})
@click.argument("key_id")
@click.confirmation_option(
    prompt="What this key signed is worthless from now on: people sign in again. Go on?"
)
@in_application
def withdraw(key_id: str) -> None:
    """Stop believing a key that may be in wrong hands."""
    service.withdraw(key_id, now=clock.now())
    click.echo(f"{key_id} is withdrawn")


@keys.command()
@json_option
@click.pass_context
@in_application
def reseal(context: click.Context, *, as_json: bool) -> None:
    """Seal with the newest of KLUCZNIK_ENCRYPTION_KEYS what older ones have sealed.

    Exit status 1 when something can't be opened: its key is missing from the setting. Otherwise the
    older keys can go.
    """
    with progress("Sealing", total=None) as at:
        done = everything_sealed_anew(by=_OPERATOR, now=clock.now(), tell=at)
    if as_json:
        say_json([asdict(one) for one in done])
    else:
        say_table(
            ["what", "sealed anew", "was current", "can't be opened"],
            [(one.what, one.renewed, one.current, one.lost) for one in done],
        )
    if any(one.lost for one in done):
        context.exit(1)


def _say(found: list[KeySummary], *, as_json: bool) -> None:
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["key", "algorithm", "state", "signs from"],
        [(one.id, one.algorithm, one.state, f"{one.signs_from:%Y-%m-%d %H:%M}") for one in found],
    )
