"""Checking a request to end the session (OpenID Connect RP-Initiated Logout 1.0 §2, §3)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.keys import service as keys
from idp.protocol import jwt
from idp.protocol.parameters import Parameters


class CannotFollow(Exception):
    """The request is answered by a page that names the reason, and nobody is redirected."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


@dataclass(frozen=True)
class Hint:
    """What a genuine `id_token_hint` says."""

    client_id: str
    person_id: UUID
    sid: UUID | None


@dataclass(frozen=True)
class LogoutRequest:
    """A checked request: who asks on whose behalf, and where to go afterwards."""

    hint: Hint | None
    redirect_uri: str | None
    """Set only where the hint vouches for the application and it has registered the address."""
    state: str | None


def read(session: Session, parameters: Parameters, *, issuer: str, now: datetime) -> LogoutRequest:
    """The request, checked; raises CannotFollow."""
    refusal = parameters.why_refuse()
    if refusal:
        raise CannotFollow("request", refusal)
    hint = _hint(session, parameters, issuer, now)
    return LogoutRequest(
        hint=hint,
        redirect_uri=_redirect_uri(session, parameters, hint),
        state=parameters.get("state"),
    )


def _hint(session: Session, parameters: Parameters, issuer: str, now: datetime) -> Hint | None:
    text = parameters.get("id_token_hint")
    if text is None:
        return None
    try:
        claims = jwt.verify(
            text,
            find_key=keys.ring(session).find,
            typ=(jwt.ID_TOKEN,),
            issuer=issuer,
            audience=None,
            now=now,
            expired_is_fine=True,
        )
        hint = _read_hint(claims)
    except (jwt.NotBelieved, ValueError) as unproven:
        raise CannotFollow("id_token_hint", str(unproven)) from unproven
    if parameters.get("client_id", hint.client_id) != hint.client_id:
        raise CannotFollow("client_id", "is not the one of the id_token_hint")
    return hint


def _read_hint(claims: dict[str, object]) -> Hint:
    sid = claims.get("sid")
    return Hint(
        client_id=str(claims["aud"]) if isinstance(claims.get("aud"), str) else "",
        person_id=UUID(str(claims.get("sub"))),
        sid=UUID(str(sid)) if sid is not None else None,
    )


def _redirect_uri(session: Session, parameters: Parameters, hint: Hint | None) -> str | None:
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    named = hint.client_id if hint is not None else parameters.get("client_id")
    client = clients.find(session, named)
    if hint is not None and client is None:
        raise CannotFollow("id_token_hint", "names an application that is unknown or switched off")
    if client is not None and uri not in client.post_logout_redirect_uris:
        raise CannotFollow("post_logout_redirect_uri", "is not registered")
    # Without a hint anybody could have written the request: nobody is sent anywhere.
    return uri if hint is not None else None
