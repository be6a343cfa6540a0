"""Whether a grant still stands: asked by every refresh, introspection and userinfo request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, select

from consent.oauth import service as consents
from idp.caches import ALL_VERSIONS, read_already
from idp.clients.service import RegisteredClient
from idp.grants.models import Grant, RevokedAccessToken
from idp.protocol import acr, scopes
from idp.protocol.claims import PersonalFacts
from idp.sessions.models import BrowserSession
from kernel.crypto import hash_token
from kernel.database import HotStatement, Reads
from tenants.people import service as people
from tenants.standing import scope
from tenants.standing import service as standings
from tenants.standing.service import Standing


@dataclass(frozen=True)
class GrantState:
    """A grant as it is now, and the facts on which it stands."""

    id: UUID
    client_id: str
    person_id: UUID
    session_id: UUID
    sid: UUID
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    nonce: str | None
    redeemed_at: datetime | None
    revoked_at: datetime | None
    person_is_active: bool
    session_ended_at: datetime | None
    session_expires_at: datetime
    consented: frozenset[str]
    """What the person allows the application now."""
    account: str | None = None
    """The context, if it was given in one."""
    company: str | None = None
    standing: Standing | None = None
    """What the person is in that account now: looked at by `with_standing`."""


@dataclass(frozen=True)
class TokenState:
    """What an access token stands on, as it is now."""

    grant: GrantState
    person: PersonalFacts | None
    """Whom it speaks of, as long as their ID can be used."""
    is_revoked: bool


def _columns() -> Select[Any]:
    """The statement that finds grants with all that their standing depends on.

    Hot: made of tables, not of mapped classes, and once.
    """
    grant, browser = Grant.__table__.c, BrowserSession.__table__.c
    person = people.active_people().subquery()
    statement = (
        select(
            grant.id,
            grant.client_id,
            grant.person_id,
            grant.session_id,
            grant.sid,
            grant.scopes,
            grant.resources,
            grant.auth_time,
            grant.acr,
            grant.amr,
            grant.nonce,
            grant.account,
            grant.company,
            grant.redeemed_at,
            grant.revoked_at,
            person.c.id.is_not(None).label("person_is_active"),
            browser.ended_at.label("session_ended_at"),
            browser.expires_at.label("session_expires_at"),
        )
        .join(BrowserSession.__table__, browser.id == grant.session_id)
        .outerjoin(person, person.c.id == grant.person_id)
    )
    return cast(Select[Any], statement)


def with_consent(statement: Select[Any]) -> Select[Any]:
    """The same with a row for each standing consent of the grant's person to its application.

    Only those that were given where the grant is: in its account, or in none.
    """
    grant, consent = Grant.__table__.c, consents.standing_consents().subquery()
    return statement.outerjoin(
        consent,
        and_(
            consent.c.person_id == grant.person_id,
            consent.c.client_id == grant.client_id,
            consent.c.account == func.coalesce(grant.account, consents.NO_ACCOUNT),
        ),
    ).add_columns(consent.c.scopes.label("consented"))


COLUMNS = _columns()
# Read along, so that caches and grant are looked at in one statement.
VERSIONS = ALL_VERSIONS.scalar_subquery().label("versions")
_AHEAD = "klucznik.idp.token_states"
_REVOKED = select(RevokedAccessToken.__table__.c.jti_hash).where(
    RevokedAccessToken.__table__.c.jti_hash == bindparam("jti_hash")
)
_IS_REVOKED = HotStatement(_REVOKED)


def _of_token() -> HotStatement:
    person = people.active_people().subquery()
    statement = with_consent(COLUMNS).outerjoin(person, person.c.id == Grant.__table__.c.person_id)
    return HotStatement(
        statement.add_columns(
            person.c.email,
            person.c.given_name,
            person.c.family_name,
            person.c.phone,
            person.c.locale,
            person.c.zoneinfo,
            person.c.picture,
            person.c.updated_at,
            _REVOKED.exists().label("is_revoked"),
            VERSIONS,
        ).where(Grant.__table__.c.id == bindparam("grant_id"))
    )


_OF_TOKEN = _of_token()


def look_ahead(at: Reads, grant_id: UUID, jti: str) -> None:
    """Read what `find_for_token` will say at the same place, and the caches' versions with it."""
    at.info[_AHEAD, grant_id, jti] = _find_for_token(at, grant_id, jti)


def find_for_token(at: Reads, grant_id: UUID, jti: str) -> TokenState | None:
    """All that an access token depends on, in one statement."""
    key = (_AHEAD, grant_id, jti)
    return at.info[key] if key in at.info else _find_for_token(at, grant_id, jti)


def _find_for_token(at: Reads, grant_id: UUID, jti: str) -> TokenState | None:
    rows = _OF_TOKEN.rows(at, grant_id=grant_id, jti_hash=hash_token(jti))
    if not rows:
        return None
    read_already(at, rows[0].versions)
    grant, row = from_rows(rows), rows[0]
    person = None
    if grant.person_is_active:
        person = PersonalFacts(
            subject=str(grant.person_id),
            email=row.email,
            given_name=row.given_name,
            family_name=row.family_name,
            phone=row.phone,
            locale=row.locale,
            zoneinfo=row.zoneinfo,
            picture=row.picture,
            updated_at=row.updated_at,
        )
    return TokenState(grant, person, is_revoked=bool(row.is_revoked))


def from_rows(rows: Sequence[Any]) -> GrantState:
    """A grant from the rows of a statement of `COLUMNS` and `with_consent`."""
    row = rows[0]
    return GrantState(
        id=row.id,
        client_id=row.client_id,
        person_id=row.person_id,
        session_id=row.session_id,
        sid=row.sid,
        scopes=tuple(row.scopes),
        resources=tuple(row.resources),
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        nonce=row.nonce,
        account=row.account,
        company=row.company,
        redeemed_at=row.redeemed_at,
        revoked_at=row.revoked_at,
        person_is_active=bool(row.person_is_active),
        session_ended_at=row.session_ended_at,
        session_expires_at=row.session_expires_at,
        consented=frozenset(scope for each in rows for scope in each.consented or ()),
    )


def with_standing(at: Reads, state: GrantState, now: datetime) -> GrantState:
    """The grant with what its person is in its account now; a grant without a context as it is."""
    if state.account is None:
        return state
    standing = standings.of(
        at, account=state.account, person_id=state.person_id, company=state.company, now=now
    )
    return replace(state, standing=standing)


def why_ended(state: GrantState, now: datetime) -> str | None:
    """Say why nothing comes of this grant any more, or None while it stands.

    One with a context that nobody looked at (`with_standing`) has none to stand on.
    """
    if state.revoked_at is not None:
        return "the grant was revoked"
    if not state.person_is_active:
        return "the person may not sign in"
    if state.session_ended_at is not None:
        return "the session was ended"
    if state.session_expires_at <= now and scopes.OFFLINE_ACCESS not in state.scopes:
        return "the session is over"
    return _why_out_of_context(state, now) if state.account is not None else None


def _why_out_of_context(state: GrantState, now: datetime) -> str | None:
    standing = state.standing
    why_not = scope.why_not_there(standing, application=None, company=state.company)
    if why_not is not None or standing is None:
        return why_not
    if scope.asks_for_strong(standing, state.company) and state.acr != acr.TWO_FACTOR:
        return "the account asks for a stronger sign-in"
    return scope.why_too_old(standing, auth_time=state.auth_time, now=now)


def why_not_for(client: RegisteredClient, state: GrantState) -> str | None:
    """Say why a grant that stands is no longer for this application, or None while it is."""
    if not client.first_party and not consents.covers(state.consented, state.scopes):
        return "consent was withdrawn"
    if state.standing is not None and client.application not in state.standing.applications:
        return "the account does not have the application"
    return None


def is_revoked(at: Reads, jti: str) -> bool:
    """Whether this one access token was revoked."""
    return _IS_REVOKED.first(at, jti_hash=hash_token(jti)) is not None
