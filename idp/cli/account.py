"""`klucznik account`: the accounts of the installation, for its operator."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from idp.cli.account_companies import companies_
from idp.cli.application import in_application
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json, say_table
from kernel.errors import NotFound
from kernel.pages import every
from tenants import configuration, trail
from tenants.accounts import service as accounts
from tenants.accounts.service import SECOND_FACTORS, Status
from tenants.applications import service as applications
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.lifecycle.service import NoSuchMember
from tenants.members import listing
from tenants.members.listing import MemberSummary
from tenants.members.service import MemberKind
from tenants.people import service as people
from tenants.people.service import PersonSummary
from tenants.roles.power import OPERATOR, Actor
from tenants.trail import Wanted

_BY = Actor("operator", OPERATOR)

Item = TypeVar("Item")
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def account() -> None:
    """Create, list, suspend, hand over and close accounts."""


account.add_command(companies_)


def _details(command: Command) -> Command:
    """The options that describe an account."""
    options = (
        click.option("--nip", help="Its tax number; other accounts may have the same."),
        click.option(
            "--office/--no-office",
            "is_accounting_office",
            default=None,
            help="Whether it is an accounting office.",
        ),
        click.option("--street"),
        click.option("--postcode"),
        click.option("--town"),
        click.option("--country", help="Two letters, as PL."),
        click.option(
            "--second-factor",
            type=click.Choice(SECOND_FACTORS),
            help="strong: who works here signs in with more than a code by mail.",
        ),
        click.option(
            "--sign-in-hours",
            type=int,
            help="How many hours old a sign-in may be that is used here.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@account.command()
@click.option("--name", required=True)
@click.option("--admin", help="The address of its first admin; who has no ID gets one.")
@_details
@json_option
@in_application
def create(*, name: str, admin: str | None, as_json: bool, **details: Any) -> None:
    """Create an account with its main company.

    Without --admin nobody is in it yet: klucznik account hand-over lets somebody in.
    """
    now = clock.now()
    with db.reading() as session:
        creator = people.find_by_email(session, admin) if admin is not None else None
    made = lifecycle.create(
        name=name,
        creator=creator.id if creator else None,
        actor=_BY.id,
        now=now,
        **_given(details),
    )
    if admin is not None and creator is None:
        _let_in(made.id, admin, now)
    _show(made.id, as_json=as_json)


@account.command("list")
@click.option("--text", default="", help="Part of a name, a NIP, or an account ID.")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--flagged", is_flag=True, help="Only those that have no admin who can act.")
@json_option
@in_application
def list_(*, text: str, status: str | None, flagged: bool, as_json: bool) -> None:
    """List accounts by name."""
    with db.reading(everywhere=True) as session:
        reading = partial(accounts.listed, session, text=text, status=status, flagged=flagged)
        found = list(every(reading))
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["id", "name", "nip", "town", "status", ""],
        [
            (one.id, one.name, one.nip, one.town, one.status, "no admin" if one.flagged_at else "")
            for one in found
        ],
    )


@account.command()
@click.argument("account_id")
@json_option
@in_application
def show(account_id: str, *, as_json: bool) -> None:
    """Show an account, its numbers and its applications."""
    _show(account_id, as_json=as_json)


@account.command()
@click.argument("account_id")
@click.option("--name")
@_details
@click.option("--version", type=int, help="Refuse unless this is still its version.")
@json_option
@in_application
def change(account_id: str, *, version: int | None, as_json: bool, **details: Any) -> None:
    """Change an account's details. An empty text takes one away."""
    values = _given(details)
    if not values:
        raise click.UsageError("nothing to change")
    with db.transaction(tenant=account_id) as session:
        accounts.change(session, account_id, values, version=version, actor=_BY.id, now=clock.now())
    _show(account_id, as_json=as_json)


@account.command()
@click.argument("account_id")
@click.option("--reason", help="Why; the account's admins read it in their audit trail.")
@json_option
@in_application
def suspend(account_id: str, *, reason: str | None, as_json: bool) -> None:
    """Stop an account: nobody works in it until it is resumed."""
    with db.transaction(tenant=account_id) as session:
        lifecycle.suspend(session, account_id, reason=reason, actor=_BY.id, now=clock.now())
    _show(account_id, as_json=as_json)


@account.command()
@click.argument("account_id")
@json_option
@in_application
def resume(account_id: str, *, as_json: bool) -> None:
    """Let a suspended account go on, with all that it has."""
    with db.transaction(tenant=account_id) as session:
        lifecycle.resume(session, account_id, actor=_BY.id, now=clock.now())
    _show(account_id, as_json=as_json)


@account.command("hand-over")
@click.argument("account_id")
@click.argument("email")
@click.option("--instead-of", help="The address of who is its admin no more.")
@click.option("--add", is_flag=True, help="Add the person, if they are no user of it yet.")
@json_option
@in_application
def hand_over(
    account_id: str, email: str, *, instead_of: str | None, add: bool, as_json: bool
) -> None:
    """Make a user of an account its admin.

    Make sure that it is theirs: this gives everything in it. Who is added has to accept first, if
    they have an ID already.
    """
    now = clock.now()
    with db.reading() as session:
        heir = people.find_by_email(session, email)
        former = _person(session, instead_of) if instead_of is not None else None
    try:
        if heir is None:
            raise NoSuchMember(f"nobody has the address {email}")
        with db.transaction(tenant=account_id) as session:
            lifecycle.hand_over(
                session,
                account_id,
                to=heir.id,
                instead_of=former.id if former else None,
                actor=_BY,
                now=now,
            )
    except NoSuchMember:
        if not add:
            raise
        if former is not None:
            raise click.UsageError("--instead-of works once the new admin has accepted") from None
        _let_in(account_id, email, now)
    _show(account_id, as_json=as_json)


@account.command()
@click.argument("account_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@in_application
def close(account_id: str, *, yes: bool, as_json: bool) -> None:
    """Close an account for good: every way into it ends, and nothing opens it again."""
    if not yes:
        with db.reading(tenant=account_id) as session:
            name = _sure(lifecycle.overview(session, account_id), account_id).account.name
        click.confirm(f"Close {name} ({account_id}) for good?", abort=True, err=True)
    with db.transaction(tenant=account_id) as session:
        lifecycle.close(session, account_id, actor=_BY.id, now=clock.now())
    _show(account_id, as_json=as_json)


@account.command("give-application")
@click.argument("account_id")
@click.argument("application")
@json_option
@in_application
def give_application(account_id: str, application: str, *, as_json: bool) -> None:
    """Let an account use an application."""
    with db.transaction(tenant=account_id) as session:
        accounts.hold(session, account_id, even_suspended=True)
        applications.give(
            session,
            account=account_id,
            application=application,
            actor=_BY.id,
            by=None,
            now=clock.now(),
        )
    _show(account_id, as_json=as_json)


@account.command("take-application")
@click.argument("account_id")
@click.argument("application")
@json_option
@in_application
def take_application(account_id: str, application: str, *, as_json: bool) -> None:
    """Let an account use an application no more; its roles keep their ticks."""
    with db.transaction(tenant=account_id) as session:
        accounts.hold(session, account_id, even_suspended=True)
        applications.take_away(
            session, account=account_id, application=application, actor=_BY.id, now=clock.now()
        )
    _show(account_id, as_json=as_json)


@account.command()
@click.argument("account_id")
@click.option("--clients", is_flag=True, help="Its clients instead of its users.")
@json_option
@in_application
def users(account_id: str, *, clients: bool, as_json: bool) -> None:
    """List the users of an account with their roles."""
    kind = MemberKind.CLIENT if clients else MemberKind.MEMBER
    now = clock.now()
    with db.reading(tenant=account_id) as session:
        _sure(lifecycle.overview(session, account_id), account_id)
        reading = partial(listing.listed, session, account_id, kind=kind, actor=_BY, now=now)
        found = list(every(reading))
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say_table(
        ["email", "name", "state", "roles"],
        [(one.email, one.name, one.state, _roles(one)) for one in found],
    )


@account.command("audit")
@click.argument("account_id")
@click.option("--event", help="An event, as company:archived, or what it begins with.")
@click.option("--actor", help="As the trail names them: person:…, client:…, key:…, operator.")
@click.option("--subject", help="What it was done to: company:…, person:…, role:…")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="In UTC.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="In UTC.")
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet; else a JSON object a line.")
@in_application
def audit(
    account_id: str,
    *,
    event: str | None,
    actor: str | None,
    subject: str | None,
    since: datetime | None,
    before: datetime | None,
    as_csv: bool,
) -> None:
    """Write an account's audit trail, the newest first. That it was read is written into it."""
    with db.reading(tenant=account_id) as session:
        _sure(lifecycle.overview(session, account_id), account_id)
    wanted = Wanted(event, actor, subject, _in_utc(since), _in_utc(before))
    rows = trail.export(account_id, wanted=wanted, actor=_BY.id, now=clock.now())
    for line in trail.as_csv(rows) if as_csv else trail.as_json_lines(rows):
        click.echo(line, nl=False)


@account.command("export-configuration")
@click.argument("account_id")
@in_application
def export_configuration(account_id: str) -> None:
    """Write an account's details, companies and roles as a JSON document, to be brought back."""
    with db.transaction(tenant=account_id) as session:
        say_json(configuration.take_out(session, account_id, actor=_BY, now=clock.now()))


@account.command("import-configuration")
@click.argument("account_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@in_application
def import_configuration(account_id: str, file: Path, *, as_json: bool) -> None:
    """Bring an account's configuration back, as it was taken out of this very account.

    What came since stays. Another account's is refused.
    """
    with db.transaction(tenant=account_id) as session:
        done = configuration.bring_back(
            session, account_id, file.read_bytes(), actor=_BY, now=clock.now()
        )
    if as_json:
        say_json(asdict(done))
        return
    say_facts(
        {
            "details changed": "yes" if done.details else "no",
            "companies changed": len(done.companies),
            "roles changed": len(done.roles),
            "permissions that are not there": ", ".join(map(":".join, done.missing)) or "none",
        }
    )


def _show(account_id: str, *, as_json: bool) -> None:
    with db.reading(tenant=account_id) as session:
        found = _sure(lifecycle.overview(session, account_id), account_id)
        given = [one.id for one in applications.given_to(session, account_id)]
    facts = {**asdict(found.account), "companies": found.companies, "users": found.users}
    if as_json:
        say_json({**facts, "applications": given})
        return
    say_facts({name: value for name, value in facts.items() if value is not None})
    say_facts({"applications": ", ".join(given)})


def _let_in(account_id: str, email: str, now: datetime) -> None:
    """Add somebody as an admin. A mail tells them; who has an ID already accepts first."""
    with db.transaction(tenant=account_id) as session:
        lifecycle.add_admin(session, account_id, email=email, actor=_BY, now=now)


def _person(session: Session, email: str) -> PersonSummary:
    found = people.find_by_email(session, email)
    if found is None:
        raise NotFound(f"no person {email}")
    return found


def _sure(found: Item | None, account_id: str) -> Item:
    if found is None:
        raise NotFound(f"no account {account_id}")
    return found


def _given(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None


def _roles(one: MemberSummary) -> str:
    return ", ".join(
        f"{held.role_name} ({held.company})" if held.company else held.role_name
        for held in one.assignments
    )
