"""Believing our own access tokens, where they come back: userinfo, introspection, revocation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.caches import BoundedCache
from idp.grants import state as grant_states
from idp.grants.state import GrantState
from idp.keys import service as keys
from idp.protocol import jwt, scopes
from idp.protocol.claims import PersonalFacts
from idp.protocol.jwt import TokenKey
from kernel import program
from kernel.database import Reads

_EXTENSION = "klucznik.idp.verified_tokens"


@dataclass(frozen=True)
class AccessToken:
    """An access token of ours, and the grant on which it stands; a client's own has none."""

    claims: dict[str, Any]
    grant: GrantState | None
    person: PersonalFacts | None = None

    @property
    def client_id(self) -> str:
        return str(self.claims["client_id"])

    @property
    def scopes(self) -> tuple[str, ...]:
        return scopes.parse(str(self.claims.get("scope", "")))


def believe(
    at: Reads, token: str, *, issuer: str, audience: str | None, now: datetime
) -> AccessToken:
    """The token, if it is genuine, still alive, and stands on a grant; raises NotBelieved.

    Signatures are remembered: a token comes back many times. What may change since it was signed
    (times, revocations, the grant, the person, the session) is looked at every time.
    """
    claims = _verified(at, token, issuer=issuer, now=now)
    if audience is not None and not jwt.names_audience(claims, audience):
        raise jwt.NotBelieved("another audience")
    jti = claims.get("jti")
    if not isinstance(jti, str):
        raise jwt.NotBelieved("nobody could say whether this token was revoked")
    if "gid" not in claims:
        if grant_states.is_revoked(at, jti):
            raise jwt.NotBelieved("this token was revoked")
        return AccessToken(claims, None)
    state = grant_states.find_for_token(at, UUID(str(claims["gid"])), jti)
    if state is None:
        raise jwt.NotBelieved("its grant is gone")
    if state.is_revoked:
        raise jwt.NotBelieved("this token was revoked")
    grant = grant_states.with_standing(at, state.grant, now)
    ended = grant_states.why_ended(grant, now)
    if ended is not None:
        raise jwt.NotBelieved(ended)
    return AccessToken(claims, grant, state.person)


def look_ahead(at: Reads, token: str) -> None:
    """Read in one statement what `believe` will need of this token, where it was verified before.

    Only reading is done ahead: whether the token is believed is decided as always, afterwards.
    """
    known = _memory().get(token)
    if known is not None and "gid" in known[1] and "jti" in known[1]:
        grant_states.look_ahead(at, UUID(str(known[1]["gid"])), str(known[1]["jti"]))


def _verified(at: Reads, token: str, *, issuer: str, now: datetime) -> dict[str, Any]:
    ring = keys.ring(at)
    memory = _memory()
    known = memory.get(token)
    # The very key object: a key that was withdrawn, or read anew, is asked again.
    if known is not None and ring.find(known[0].id) is known[0]:
        claims = known[1]
        if claims["exp"] + jwt.SKEW_SECONDS > now.timestamp():
            return claims
    claims = jwt.verify(
        token,
        find_key=ring.find,
        typ=(jwt.ACCESS_TOKEN,),
        issuer=issuer,
        audience=None,
        now=now,
    )
    key = ring.find(str(jwt.read_header(token).get("kid")))
    if key is not None:
        memory.put(token, (key, claims))
    return claims


def _memory() -> BoundedCache[str, tuple[TokenKey, dict[str, Any]]]:
    memory: BoundedCache[str, tuple[TokenKey, dict[str, Any]]] = program.extensions().setdefault(
        _EXTENSION, BoundedCache(2_000)
    )
    return memory
