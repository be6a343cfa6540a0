"""The answer to an authorization request: a code or an error, in the way that was asked for."""

from datetime import datetime, timedelta
from typing import Any, cast

from flask import Response
from sqlalchemy import Insert, Table, bindparam, insert

from idp.authorize.request import FORM_POST, AuthorizationRequest, ReturnAddress
from idp.grants.models import Grant
from idp.protocol.errors import OAuthError
from idp.redirects import add_to_query, redirect_exactly
from idp.sessions import applications
from idp.sessions.service import SignedIn
from kernel.crypto import hash_token, new_token
from kernel.database import HotStatement, Reads
from kernel.ids import new_id
from kernel.web import forward, forward_form

_KEPT = timedelta(days=1)
_COLUMNS = (
    *("id", "client_id", "person_id", "session_id", "scopes", "resources", "auth_time", "acr"),
    *("amr", "nonce", "created_at", "code_hash", "code_expires_at", "redirect_uri"),
    *("code_challenge", "kept_until", "account", "company"),
)


def _add() -> Insert:
    named: dict[str, Any] = {name: bindparam(name) for name in _COLUMNS}
    return insert(cast(Table, Grant.__table__)).values(
        {**named, "sid": applications.SID.scalar_subquery()}
    )


_ADD = HotStatement(_add)


def issue_code(
    at: Reads,
    request: AuthorizationRequest,
    signed_in: SignedIn,
    *,
    life: timedelta,
    now: datetime,
    account: str | None = None,
    company: str | None = None,
) -> str:
    """A code for what this person granted, perhaps in a context; only its digest is kept."""
    code = new_token(256)
    applications.enter(at, signed_in.session_id, request.client_id, now=now)
    _ADD.rows(
        at,
        id=new_id(),
        client_id=request.client_id,
        person_id=signed_in.person_id,
        session_id=signed_in.session_id,
        entered_session=signed_in.session_id,
        entered_client=request.client_id,
        scopes=list(request.scopes),
        resources=list(request.resources),
        auth_time=signed_in.auth_time,
        acr=signed_in.acr,
        amr=list(signed_in.amr),
        nonce=request.nonce,
        created_at=now,
        code_hash=hash_token(code),
        code_expires_at=now + life,
        # Longer than any token lives that the code buys by itself.
        kept_until=now + _KEPT,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        account=account,
        company=company,
    )
    return code


def with_code(to: ReturnAddress, code: str, *, issuer: str, after_pages: bool) -> Response:
    """The answer that the application hoped for."""
    return _answer(to, [("code", code)], issuer=issuer, after_pages=after_pages)


def with_error(to: ReturnAddress, error: OAuthError, *, issuer: str, after_pages: bool) -> Response:
    """The answer that says why not."""
    return _answer(to, list(error.as_dict().items()), issuer=issuer, after_pages=after_pages)


def address_with_code(to: ReturnAddress, code: str, *, issuer: str) -> str:
    """Where the browser takes that answer by itself, asked for in the query."""
    return add_to_query(to.redirect_uri, _whole(to, [("code", code)], issuer))


def _whole(to: ReturnAddress, fields: list[tuple[str, str]], issuer: str) -> list[tuple[str, str]]:
    """What any answer tells besides."""
    # RFC 9207: the application learns who answers, so that nobody mixes up two providers.
    state = [("state", to.state)] if to.state is not None else []
    return [*fields, ("iss", issuer), *state]


def _answer(
    to: ReturnAddress, fields: list[tuple[str, str]], *, issuer: str, after_pages: bool
) -> Response:
    fields = _whole(to, fields, issuer)
    if to.response_mode == FORM_POST:
        response = forward_form(to.redirect_uri, fields)
    elif after_pages:
        # A form was posted on the way; browsers would not follow a redirect to another origin.
        response = forward(add_to_query(to.redirect_uri, fields))
    else:
        response = redirect_exactly(add_to_query(to.redirect_uri, fields))
    response.headers["Cache-Control"] = "no-store"
    return response
