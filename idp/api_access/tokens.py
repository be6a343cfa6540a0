"""Access tokens at our own API: a person's in the context of the grant, or an application's own.

What a token says is only who and which grant. What they may is read from the database, now (12.6).
"""

from datetime import datetime

from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.grants import state as grant_states
from idp.grants.state import GrantState
from idp.protocol import jwt
from idp.settings import current_settings
from idp.token import verification
from kernel.api.problems import BadCredentials
from tenants.api.callers import Caller, Kind
from tenants.api.demands import ACCOUNTS_SCOPE
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.roles.power import NOTHING, Actor, Right, narrowed, on_one_company, power_of


def authenticate(credential: str, *, now: datetime) -> Caller | None:
    """Whose access token this is; None for what is no token of ours; raises BadCredentials."""
    if credential.count(".") != 2:
        return None
    settings = current_settings()
    with db.glancing() as glance:
        verification.look_ahead(glance, credential)
        try:
            believed = verification.believe(
                glance,
                credential,
                issuer=settings.issuer,
                audience=settings.api_audience,
                now=now,
            )
        except (jwt.NotBelieved, ValueError) as unproven:
            raise BadCredentials(str(unproven)) from unproven
        client = clients.find(glance, believed.client_id)
    if client is None:
        raise BadCredentials("the client was switched off")
    if believed.grant is None:
        return _client(client, believed.scopes)
    why_not = grant_states.why_not_for(client, believed.grant)
    if why_not is not None:
        raise BadCredentials(why_not)
    return _person(believed.grant, client, believed.scopes)


def _person(grant: GrantState, client: RegisteredClient, scopes: tuple[str, ...]) -> Caller:
    power = power_of(grant.standing)
    if ACCOUNTS_SCOPE not in scopes:
        # An application that asked for single permissions has no more than those.
        power = narrowed(power, [Right(ACCOUNTS, scope) for scope in scopes])
    if grant.company is not None:
        power = on_one_company(power, grant.company)
    return Caller(
        kind=Kind.PERSON,
        actor=Actor(f"person:{grant.person_id}", power),
        scopes=frozenset(scopes),
        account=grant.account,
        company=grant.company,
        person_id=grant.person_id,
        auth_time=grant.auth_time,
        client_id=client.id,
        application=client.application,
        is_ours=client.first_party,
    )


def _client(client: RegisteredClient, scopes: tuple[str, ...]) -> Caller:
    return Caller(
        kind=Kind.CLIENT,
        actor=Actor(f"client:{client.id}", NOTHING),
        # What it was registered for now, whatever the token was given with.
        scopes=frozenset(scopes) & frozenset(client.scopes),
        client_id=client.id,
    )
