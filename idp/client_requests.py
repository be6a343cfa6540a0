"""What the endpoints for programs have in common: a form comes in, JSON goes out, nothing is kept."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from idp.clients import authentication
from idp.clients.service import PRIVATE_KEY_JWT, RegisteredClient
from idp.protocol.errors import InvalidRequest, OAuthError
from idp.protocol.parameters import Parameters
from idp.settings import current_settings
from kernel.database import Reads
from kernel.observability.logs import get_logger

log = get_logger(__name__)

_compact = json.JSONEncoder(separators=(",", ":"))

Json = tuple[Mapping[str, Any], int, Sequence[tuple[str, str]]]
"""An answer's members, its status, and headers of its own."""

FindClient = Callable[[Reads], RegisteredClient]

_FORM = "application/x-www-form-urlencoded"
_BASIC_CHALLENGE = 'Basic realm="klucznik", charset="UTF-8"'


def form_parameters() -> Parameters:
    """The parameters of the body; raises InvalidRequest. The query is never looked at."""
    if request.mimetype != _FORM:
        raise InvalidRequest("the body must be application/x-www-form-urlencoded")
    parameters = Parameters(request.form.items(multi=True))
    parameters.check()
    return parameters


def authenticated_client(parameters: Parameters, *, now: datetime) -> RegisteredClient:
    """The client that sent this request; raises OAuthError."""
    presented = authentication.read(request.headers.get("Authorization"), parameters)
    return authentication.authenticate(presented, issuer=current_settings().issuer, now=now)


def presented_client(parameters: Parameters, *, now: datetime) -> FindClient:
    """The same in one step less: the client is looked up with the session of the request itself.

    An assertion is spent before that, in a transaction of its own.
    """
    presented = authentication.read(request.headers.get("Authorization"), parameters)
    if presented.method != PRIVATE_KEY_JWT:
        return lambda at: authentication.authenticate_within(at, presented, now=now)
    client = authentication.authenticate(presented, issuer=current_settings().issuer, now=now)
    return lambda _at: client


def json_response(
    body: Mapping[str, Any], status: int = 200, headers: Sequence[tuple[str, str]] = ()
) -> Response:
    """JSON that no cache keeps (RFC 6749 §5.1)."""
    response = Response(json_text(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    for name, value in headers:
        response.headers[name] = value
    return response


def json_text(body: Mapping[str, Any]) -> bytes:
    """JSON as programs get it, without a byte that says nothing."""
    return _compact.encode(dict(body)).encode("ascii")


def refusal(error: OAuthError) -> Response:
    """The error as RFC 6749 §5.2 wants it; what only we may know goes to the log."""
    return json_response(*refused(error, endpoint=request.endpoint or ""))


def refused(error: OAuthError, *, endpoint: str) -> Json:
    """The same, for who writes the answer otherwise."""
    log.info("protocol_request_refused", endpoint=endpoint, error=error.error, detail=error.detail)
    return error.as_dict(), error.status_code, challenge(error)


def challenge(error: OAuthError) -> list[tuple[str, str]]:
    """How the client may prove itself, where it failed to."""
    return [("WWW-Authenticate", _BASIC_CHALLENGE)] if error.status_code == 401 else []


def refuse_in_json(blueprint: Blueprint) -> None:
    """Let every OAuthError of this blueprint be answered in JSON."""
    blueprint.register_error_handler(OAuthError, refusal)
