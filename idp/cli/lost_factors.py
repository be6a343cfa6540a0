"""`klucznik person lost-factors`: people without any of their factors, and what becomes of them."""

from typing import Any
from uuid import UUID

import click

from idp.cli.application import in_application
from idp.lost_factors import decisions
from idp.lost_factors.decisions import Case
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json, say_table

_BY = click.option("--by", required=True, help="Who decides: a name, for the audit trail.")


@click.group("lost-factors")
def lost_factors() -> None:
    """Decide about people who lost every factor.

    Make sure that it is the person: in the office with a document, or by calling a number that was
    known before. What a mail says proves nothing.
    """


@lost_factors.command("list")
@click.option("--all", "also_ended", is_flag=True, help="Also those that are over, newest first.")
@json_option
@in_application
def list_(*, also_ended: bool, as_json: bool) -> None:
    """List the requests that are open, oldest first."""
    found = decisions.cases(now=clock.now(), also_ended=also_ended)
    if as_json:
        say_json([_facts(one) for one in found])
        return
    if not found:
        click.echo("nothing is asked for")
        return
    facts = [_facts(one) for one in found]
    columns = ("id", "state", "email", "asked_at", "ready_at", "contact")
    say_table(columns, [[one[name] for name in columns] for one in facts])


@lost_factors.command()
@click.argument("request_id", type=click.UUID)
@json_option
@in_application
def show(request_id: UUID, *, as_json: bool) -> None:
    """Show one request: who asks, from where, and how to reach them."""
    _say(decisions.case(request_id), as_json=as_json)


@lost_factors.command()
@click.argument("request_id", type=click.UUID)
@click.option("--proof", required=True, help="What you saw that proves who it is.")
@_BY
@json_option
@in_application
def approve(request_id: UUID, *, proof: str, by: str, as_json: bool) -> None:
    """Let the person in without factors, once the waiting time is over.

    The person is mailed at once, and can stop it until it is used.
    """
    made = decisions.approve(request_id, proof=proof, by=by, now=clock.now())
    _say(made, as_json=as_json)


@lost_factors.command()
@click.argument("request_id", type=click.UUID)
@click.option("--reason", required=True, help="Why; the person reads it.")
@_BY
@json_option
@in_application
def refuse(request_id: UUID, *, reason: str, by: str, as_json: bool) -> None:
    """Refuse a request, also one that was approved and waits."""
    made = decisions.refuse(request_id, reason=reason, by=by, now=clock.now())
    _say(made, as_json=as_json)


def _facts(one: Case) -> dict[str, Any]:
    request = one.request
    return {
        "id": str(request.id),
        "state": request.state(clock.now()),
        "person": str(one.person.id),
        "email": one.person.email,
        "name": one.person.name or None,
        "authenticator_app": one.has_authenticator,
        "passkeys": one.passkeys,
        "contact": request.contact,
        "note": request.note,
        "address": request.address,
        "user_agent": request.user_agent,
        "asked_at": request.asked_at,
        "approved_at": request.approved_at,
        "ready_at": request.ready_at,
        "expires_at": request.expires_at,
        "decided_by": request.decided_by,
        "proof": request.proof,
        "reason": request.reason,
        "ended_at": request.ended_at,
    }


def _say(one: Case, *, as_json: bool) -> None:
    facts = _facts(one)
    if as_json:
        say_json(facts)
        return
    say_facts({name: value for name, value in facts.items() if value is not None})
