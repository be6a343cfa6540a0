"""`klucznik client`: the applications that people sign in to."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from idp.cli.application import in_application
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.protocol import scopes
from idp.protocol.profiles import PROFILES
from idp.security_events import service as security_events
from kernel import clock
from kernel.command_line import json_option, say_facts, say_json, say_table
from kernel.errors import NotFound
from tenants.database import db


@click.group()
def client() -> None:
    """Register and list applications."""


@client.command()
@click.option("--name", required=True, help="What people read when they are asked for consent.")
@click.option("--client-id", help="Its id; made up when left out.")
@click.option("--owner", help="Who answers for it.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="May be repeated.")
@click.option(
    "--post-logout-redirect-uri",
    "post_logout_redirect_uris",
    multiple=True,
    help="Where to go after signing out; may be repeated.",
)
@click.option("--backchannel-logout-uri", help="Where to send logout tokens.")
@click.option("--security-events-uri", help="Where to send blocks and changed permissions.")
@click.option(
    "--grant",
    "grant_types",
    multiple=True,
    type=click.Choice(clients.GRANT_TYPES),
    help="May be repeated. Without: authorization_code and refresh_token, or client_credentials "
    "where no redirect URI is given.",
)
@click.option(
    "--auth-method",
    type=click.Choice(clients.AUTH_METHODS),
    default=clients.SECRET_BASIC,
    show_default=True,
    help="How it proves who it is; none for one that can keep no secret.",
)
@click.option("--scope", "scopes_", multiple=True, help="What it may ask for; may be repeated.")
@click.option(
    "--audience", "audiences", multiple=True, help="A resource it may name; may be repeated."
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="standard",
    show_default=True,
    help="Which rules it keeps; legacy lets it do without PKCE.",
)
@click.option(
    "--application",
    help="The application of accounts that it signs people in to, as `application list` names it.",
)
@click.option("--native", is_flag=True, help="It runs on people's devices.")
@click.option("--first-party", is_flag=True, help="Ours: people are not asked for consent.")
@click.option(
    "--id-token-alg",
    type=click.Choice(clients.SIGNING_ALGORITHMS),
    help="How ID tokens are signed.",
)
@click.option(
    "--access-token-alg",
    type=click.Choice(clients.SIGNING_ALGORITHMS),
    default="ES256",
    show_default=True,
    help="How access tokens are signed.",
)
@click.option(
    "--jwks",
    "jwks_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with its public keys, for private_key_jwt.",
)
@click.option("--jwks-uri", help="Where its public keys are.")
@json_option
@in_application
def create(
    *,
    name: str,
    client_id: str | None,
    owner: str | None,
    redirect_uris: tuple[str, ...],
    post_logout_redirect_uris: tuple[str, ...],
    backchannel_logout_uri: str | None,
    security_events_uri: str | None,
    grant_types: tuple[str, ...],
    auth_method: str,
    scopes_: tuple[str, ...],
    audiences: tuple[str, ...],
    profile: str,
    application: str | None,
    native: bool,
    first_party: bool,
    id_token_alg: str | None,
    access_token_alg: str,
    jwks_file: Path | None,
    jwks_uri: str | None,
    as_json: bool,
) -> None:
    """Register an application. Its secret is shown this once."""
    with db.transaction() as session:
        made, secret = clients.register(
            session,
            name=name,
            now=clock.now(),
            client_id=client_id,
            owner=owner,
            profile=profile,
            application=application,
            first_party=first_party,
            application_type="native" if native else "web",
            token_endpoint_auth_method=auth_method,
            grant_types=grant_types or usual_grants(redirect_uris),
            redirect_uris=redirect_uris,
            post_logout_redirect_uris=post_logout_redirect_uris,
            backchannel_logout_uri=backchannel_logout_uri,
            security_events_uri=security_events_uri,
            scopes=asked_scopes(scopes_) or scopes.OF_OPENID,
            audiences=audiences,
            id_token_signed_response_alg=id_token_alg,
            access_token_signed_response_alg=access_token_alg,
            jwks=read_jwks(jwks_file),
            jwks_uri=jwks_uri,
        )
    answer = {"client_id": made, "client_secret": secret}
    if as_json:
        say_json(answer)
    else:
        say_facts(answer if secret else {"client_id": made})


@client.command("list")
@json_option
@in_application
def list_(*, as_json: bool) -> None:
    """List the registered applications."""
    with db.reading() as session:
        found = clients.listed(session)
    if as_json:
        say_json([summary(one) for one in found])
        return
    say_table(
        ["client_id", "name", "profile", "authentication", "grants", ""],
        [
            (
                one.id,
                one.name,
                one.profile.name,
                one.token_endpoint_auth_method,
                " ".join(sorted(one.grant_types)),
                "disabled" if one.disabled else "first-party" if one.first_party else "",
            )
            for one in found
        ],
    )


@client.command("rotate-secret")
@click.argument("client_id")
@json_option
@in_application
def rotate_secret(client_id: str, *, as_json: bool) -> None:
    """Give an application a new secret. The one before works for a day more."""
    with db.transaction() as session:
        secret = clients.rotate_secret(session, client_id, now=clock.now())
    answer = {"client_id": client_id, "client_secret": secret}
    if as_json:
        say_json(answer)
    else:
        say_facts(answer)


@client.command()
@click.argument("client_id")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@in_application
def deliveries(client_id: str, *, limit: int, as_json: bool) -> None:
    """Show which security events an application was told, and how it takes them."""
    with db.reading() as session:
        if clients.find(session, client_id) is None:
            raise NotFound(f"no client {client_id}")
        feed = security_events.feed(session, client_id, now=clock.now())
        sent = security_events.deliveries(session, client_id, limit=limit)
    if as_json:
        say_json(
            {
                "feed": asdict(feed) if feed is not None else None,
                "events": [asdict(one) for one in sent],
            }
        )
        return
    if feed is None:
        click.echo("nothing was sent to it yet")
        return
    facts = {name: value for name, value in asdict(feed).items() if value is not None}
    say_facts({name.replace("_", " "): value for name, value in facts.items()})
    say_table(
        ["created", "event", "account", "person", "attempts", "accepted", "last error"],
        [
            (
                one.created_at,
                one.kind,
                one.account or "",
                one.person_id or "",
                one.attempts,
                one.accepted_at or ("refused" if one.refused_at else ""),
                one.last_error or "",
            )
            for one in sent
        ],
    )


@client.command("use-application")
@click.argument("client_id")
@click.argument("application", required=False)
@in_application
def use_application(client_id: str, application: str | None) -> None:
    """Say which application of the accounts a client signs people in to; without one, none."""
    with db.transaction() as session:
        clients.update_metadata(session, client_id, application=application, now=clock.now())
    click.echo(f"{client_id} signs people in to {application or 'no application of accounts'}")


@client.command()
@click.argument("client_id")
@in_application
def disable(client_id: str) -> None:
    """Stop an application: nothing is issued to it, and what it holds is refused."""
    with db.transaction() as session:
        clients.disable(session, client_id, now=clock.now())
    click.echo(f"{client_id} is disabled")


def usual_grants(redirect_uris: tuple[str, ...]) -> tuple[str, ...]:
    """The grants of an application that names none.

    >>> usual_grants(("https://app.example/callback",))
    ('authorization_code', 'refresh_token')
    >>> usual_grants(())
    ('client_credentials',)
    """
    if redirect_uris:
        return (clients.AUTHORIZATION_CODE, clients.REFRESH_TOKEN)
    return (clients.CLIENT_CREDENTIALS,)


def asked_scopes(typed: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes of repeated options, each of which may hold several.

    >>> asked_scopes(("openid email", "profile"))
    ('openid', 'email', 'profile')
    """
    return scopes.parse(" ".join(typed))


def read_jwks(path: Path | None) -> dict[str, Any] | None:
    """The key set in a file; raises a click error where there is none."""
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as malformed:
        raise click.BadParameter("not JSON", param_hint="--jwks") from malformed
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise click.BadParameter('not a key set: {"keys": […]}', param_hint="--jwks")
    return found


def summary(one: RegisteredClient) -> dict[str, Any]:
    """What a list tells of an application."""
    return {
        "client_id": one.id,
        "name": one.name,
        "profile": one.profile.name,
        "application": one.application,
        "first_party": one.first_party,
        "disabled": one.disabled,
        "token_endpoint_auth_method": one.token_endpoint_auth_method,
        "grant_types": sorted(one.grant_types),
        "redirect_uris": one.redirect_uris,
        "post_logout_redirect_uris": one.post_logout_redirect_uris,
        "backchannel_logout_uri": one.backchannel_logout_uri,
        "security_events_uri": one.security_events_uri,
        "scopes": one.scopes,
        "audiences": one.audiences,
    }
