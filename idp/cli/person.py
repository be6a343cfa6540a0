"""`klucznik person`: people and their IDs."""

from dataclasses import asdict
from uuid import UUID

import click

from idp.cli.application import in_application
from idp.credentials import password, totp
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json
from kernel.errors import NotFound
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary


@click.group()
def person() -> None:
    """Create and show people."""


@person.command()
@click.option("--email", required=True, help="The address, which never changes.")
@click.option("--given-name")
@click.option("--family-name")
@click.option("--locale", type=click.Choice(["pl", "en"]), help="The language of pages and mails.")
@json_option
@in_application
def create(
    *,
    email: str,
    given_name: str | None,
    family_name: str | None,
    locale: str | None,
    as_json: bool,
) -> None:
    """Create an ID without a password: the person sets one by «forgot password».

    Nobody but the person ever knows it (there is no option for it here).
    """
    with db.transaction() as session:
        made = people.create(
            session,
            email=email,
            given_name=given_name,
            family_name=family_name,
            locale=locale,
            now=clock.now(),
        )
    _say(made, as_json=as_json)


@person.command()
@click.argument("email_or_id")
@json_option
@in_application
def show(email_or_id: str, *, as_json: bool) -> None:
    """Show a person, and which factors they have."""
    with db.reading() as session:
        identifier = _as_id(email_or_id)
        found = (
            people.find(session, identifier)
            if identifier
            else people.find_by_email(session, email_or_id)
        )
        if found is None:
            raise NotFound(f"no person {email_or_id}")
        factors = {
            "password": password.stored_hash(session, person_id=found.id) is not None,
            "authenticator_app": totp.is_enrolled(session, person_id=found.id),
        }
    _say(found, as_json=as_json, factors=factors)


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _say(found: PersonSummary, *, as_json: bool, factors: dict[str, bool] | None = None) -> None:
    facts = {name: value for name, value in asdict(found).items() if name != "email_key"}
    if as_json:
        say_json(facts | ({"factors": factors} if factors is not None else {}))
        return
    words = {name: "yes" if has else "no" for name, has in (factors or {}).items()}
    say_facts({name: value for name, value in facts.items() if value is not None} | words)
