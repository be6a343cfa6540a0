"""`klucznik outbox`: what could not be delivered."""

from dataclasses import asdict
from uuid import UUID

import click

from idp.cli.application import in_application
from kernel import clock
from kernel.command_line import json_option, say_json, say_table
from kernel.outbox import DeadMessage
from tenants.database import db
from tenants.outbox import outbox as messages


@click.group()
def outbox() -> None:
    """See what could not be delivered, and send it again."""


@outbox.command()
@json_option
@in_application
def dead(*, as_json: bool) -> None:
    """List the messages that were given up, the newest first."""
    with db.reading() as session:
        found = messages.dead(session)
    _say(found, as_json=as_json)


@outbox.command()
@click.argument("message_ids", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Every message that `dead` lists.")
@in_application
def retry(message_ids: tuple[UUID, ...], *, everything: bool) -> None:
    """Send messages again that were given up. Receivers know them by the same ids."""
    with db.transaction() as session:
        ids = [one.id for one in messages.dead(session)] if everything else message_ids
        count = messages.retry_dead(session, ids, now=clock.now())
    click.echo(f"{count} will be sent again")


def _say(found: list[DeadMessage], *, as_json: bool) -> None:
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["message", "kind", "to", "given up", "attempts", "why"],
        [
            (
                one.id,
                one.kind,
                one.destination,
                f"{one.finished_at:%Y-%m-%d %H:%M}",
                one.attempts,
                one.last_error,
            )
            for one in found
        ],
    )
