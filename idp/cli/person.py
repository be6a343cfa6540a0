"""`klucznik person`: people and their IDs."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy.orm import Session

from idp.access.service import How, State, give, prepare, send_again
from idp.access.service import state as access_state
from idp.blocking import service as blocking
from idp.cli.application import in_application
from idp.cli.lost_factors import lost_factors
from idp.cli.person_import import import_people
from idp.credentials import passkeys, password, totp
from idp.not_me import locks
from idp.not_me import service as not_me
from idp.not_me.locks import Reason
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json
from kernel.errors import NotFound
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary

# As the audit trail names who works at the command line.
_OPERATOR = "operator"


@click.group()
def person() -> None:
    """Create, import and show people."""


person.add_command(lost_factors)
person.add_command(import_people)


@person.command()
@click.option("--email", required=True, help="The address, which never changes.")
@click.option("--given-name")
@click.option("--family-name")
@click.option("--locale", type=click.Choice(["pl", "en"]), help="The language of pages and mails.")
@click.option(
    "--access",
    type=click.Choice([how.value for how in How]),
    help="Mail a temporary password, or a link with which the person sets one.",
)
@click.option("--return-to", help="Where the mail leads to: an application's address. [the portal]")
@json_option
@in_application
def create(
    *,
    email: str,
    given_name: str | None,
    family_name: str | None,
    locale: str | None,
    access: str | None,
    return_to: str | None,
    as_json: bool,
) -> None:
    """Create an ID without a password: the person sets one by «forgot password».

    Nobody but the person ever knows it (there is no option for it here). With --access, a mail
    brings what is needed for that.
    """
    if return_to is not None and access is None:
        raise click.UsageError("--return-to needs --access")
    fresh = prepare(How(access)) if access is not None else None
    with db.transaction() as session:
        made = people.create(
            session,
            email=email,
            given_name=given_name,
            family_name=family_name,
            locale=locale,
            now=clock.now(),
        )
        if fresh is not None:
            give(
                session,
                person_id=made.id,
                fresh=fresh,
                by=_OPERATOR,
                return_to=return_to,
                now=clock.now(),
            )
        state = access_state(session, person_id=made.id)
    _say(made, as_json=as_json, state=state)


@person.command("send-access")
@click.argument("email")
@json_option
@in_application
def send_access(email: str, *, as_json: bool) -> None:
    """Mail access again to a person who never set a password: a fresh secret of the same kind.

    What was mailed before stops working.
    """
    with db.reading() as session:
        found = people.find_by_email(session, email)
    if found is None:
        raise NotFound(f"no person {email}")
    given = send_again(found.id, by=_OPERATOR, now=clock.now())
    if not given.sent:
        raise click.ClickException(
            "not sent: this address got too many mails within the hour; what it has stays good"
        )
    facts = {"email": found.email, "access": given.how.value, "until": given.until.isoformat()}
    say_json(facts) if as_json else say_facts(facts)


@person.command()
@click.argument("email_or_id")
@json_option
@in_application
def show(email_or_id: str, *, as_json: bool) -> None:
    """Show a person, and which factors they have."""
    with db.reading() as session:
        found = _find(session, email_or_id)
        factors = {
            "password": password.stored_hash(session, person_id=found.id) is not None,
            "authenticator_app": totp.is_enrolled(session, person_id=found.id),
            "passkey": passkeys.is_enrolled(session, person_id=found.id),
        }
        state = access_state(session, person_id=found.id)
        locked_at = locks.locked_at(session, person_id=found.id)
    _say(found, as_json=as_json, factors=factors, state=state, locked_at=locked_at)


@person.command()
@click.argument("email_or_id")
@json_option
@in_application
def lock(email_or_id: str, *, as_json: bool) -> None:
    """Let nobody in with this ID until its owner sets a new password by mail.

    All sessions and remembered devices end, and what was begun with the ID.
    """
    with db.transaction() as session:
        found = _find(session, email_or_id)
        shut = not_me.shut(session, found, reason=Reason.OPERATOR, now=clock.now())
    if as_json:
        say_json({"email": found.email, "sessions_ended": shut.sessions, "devices": shut.devices})
        return
    click.echo(f"{found.email} is locked until its owner sets a new password by mail")
    say_facts({"sessions ended": shut.sessions, "devices forgotten": shut.devices})


@person.command()
@click.argument("email_or_id")
@json_option
@in_application
def unlock(email_or_id: str, *, as_json: bool) -> None:
    """Let people in again with the password that the ID has.

    For an ID that was locked by mistake: whoever knew the password knows it still. The owner alone
    opens it better, by setting a new one.
    """
    with db.transaction() as session:
        found = _find(session, email_or_id)
        was_locked = not_me.open_again(session, found, now=clock.now())
    if as_json:
        say_json({"email": found.email, "was_locked": was_locked})
        return
    click.echo(f"{found.email} is unlocked" if was_locked else f"{found.email} was not locked")


@person.command()
@click.argument("email_or_id")
@click.option(
    "--reason", required=True, help="Why, for the audit trail. The person is not told it."
)
@click.option("--silently", is_flag=True, help="Send no mail.")
@json_option
@in_application
def block(email_or_id: str, *, reason: str, silently: bool, as_json: bool) -> None:
    """Let nobody use this ID, in any application, until it is unblocked.

    All sessions end at once. Accounts that have no other admin are named: hand them over.
    """
    with db.reading() as session:
        found = _find(session, email_or_id)
    done = blocking.block(found, reason=reason, silently=silently, now=clock.now())
    if as_json:
        say_json({"email": found.email, **asdict(done)})
        return
    click.echo(f"{found.email} is blocked" if done.is_news else f"{found.email} was not active")
    say_facts(
        {"sessions ended": done.sessions_ended}
        | ({"without an admin": ", ".join(done.accounts_flagged)} if done.accounts_flagged else {})
    )


@person.command()
@click.argument("email_or_id")
@click.option(
    "--reason", required=True, help="Why, for the audit trail. The person is not told it."
)
@click.option("--silently", is_flag=True, help="Send no mail.")
@json_option
@in_application
def unblock(email_or_id: str, *, reason: str, silently: bool, as_json: bool) -> None:
    """Let a blocked ID be used again, with everything that it had."""
    with db.reading() as session:
        found = _find(session, email_or_id)
    done = blocking.unblock(found, reason=reason, silently=silently, now=clock.now())
    if as_json:
        say_json({"email": found.email, **asdict(done)})
        return
    click.echo(f"{found.email} is unblocked" if done.is_news else f"{found.email} was not blocked")


def _find(session: Session, email_or_id: str) -> PersonSummary:
    identifier = _as_id(email_or_id)
    found = (
        people.find(session, identifier)
        if identifier
        else people.find_by_email(session, email_or_id)
    )
    if found is None:
        raise NotFound(f"no person {email_or_id}")
    return found


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _say(
    found: PersonSummary,
    *,
    as_json: bool,
    state: State,
    factors: dict[str, bool] | None = None,
    locked_at: datetime | None = None,
) -> None:
    facts = {name: value for name, value in asdict(found).items() if name != "email_key"}
    if as_json:
        say_json(
            facts
            | ({"factors": factors} if factors is not None else {})
            | {"activated": state.is_activated, "access": state.how, "access_until": state.until}
            | {"locked_at": locked_at}
        )
        return
    words = {name: "yes" if has else "no" for name, has in (factors or {}).items()}
    words["activated"] = "yes" if state.is_activated else "no"
    if locked_at is not None:
        words["locked since"] = str(locked_at)
    if state.how is not None:
        words["access"] = f"{state.how} until {state.until}"
    say_facts({name: value for name, value in facts.items() if value is not None} | words)
