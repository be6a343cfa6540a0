"""The userinfo endpoint: the token in a header, or in the body of a form."""

from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from idp.client_requests import Json, json_response, log
from idp.contexts.claims import WHERE_LISTED
from idp.protocol.errors import InvalidRequest, OAuthError
from idp.protocol.parameters import Parameters
from idp.settings import current_settings
from idp.userinfo import context, service
from kernel import clock
from kernel.web import csrf_exempt, requires
from tenants.database import db

blueprint = Blueprint("userinfo", __name__)


class NoToken(OAuthError):
    """RFC 6750 §3.1: who brings no token is told how to, and nothing else."""

    error = "invalid_token"
    status_code = 401


@blueprint.route("/userinfo", methods=["GET", "POST"])
@requires("token")
@csrf_exempt
def tell() -> ResponseReturnValue:
    """Say what the token's scopes let its bearer know."""
    form = Parameters(request.form.items(multi=True)) if request.method == "POST" else None
    return json_response(answer(request.headers.get("Authorization"), form))


@blueprint.get(WHERE_LISTED)
@requires("token")
def tell_context() -> ResponseReturnValue:
    """Say which roles and permissions the token stands for, however many there are."""
    token = bearer_token(request.headers.get("Authorization"), None)
    with db.glancing() as glance:
        told = context.tell(glance, token, issuer=current_settings().issuer, now=clock.now())
    return json_response(told)


def answer(authorization: str | None, form: Parameters | None) -> dict[str, Any]:
    """What to say to this request; raises OAuthError."""
    token = bearer_token(authorization, form)
    with db.glancing() as glance:
        return service.tell(glance, token, issuer=current_settings().issuer, now=clock.now())


def bearer_token(authorization: str | None, form: Parameters | None) -> str:
    """The one token of the request (RFC 6750 §2); raises OAuthError."""
    in_body = form.get("access_token") if form is not None else None
    if form is not None:
        form.check()
    scheme, _, in_header = (authorization or "").partition(" ")
    if authorization and in_body:
        raise InvalidRequest("the token came in two ways")
    if authorization:
        if scheme.lower() != "bearer" or not in_header.strip():
            raise NoToken(detail="authorization is not Bearer")
        return in_header.strip()
    if not in_body:
        raise NoToken(detail="no token")
    return in_body


@blueprint.errorhandler(OAuthError)
def refuse(error: OAuthError) -> Response:
    """RFC 6750 §3: the reason stands in the header too."""
    return json_response(*refused(error))


def refused(error: OAuthError) -> Json:
    """The same, for who writes the answer otherwise."""
    log.info("userinfo_refused", error=error.error, detail=error.detail)
    if isinstance(error, NoToken):
        return {}, 401, [("WWW-Authenticate", 'Bearer realm="klucznik"')]
    challenge = f'Bearer realm="klucznik", error="{error.error}"'
    if error.description:
        challenge += f', error_description="{error.description}"'
    return error.as_dict(), error.status_code, [("WWW-Authenticate", challenge)]
