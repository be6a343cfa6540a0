"""The metadata documents."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from idp.discovery import document
from idp.settings import current_settings
from kernel.web import public

blueprint = Blueprint("discovery", __name__)


@blueprint.get("/.well-known/openid-configuration", endpoint="openid_configuration")
@blueprint.get("/.well-known/oauth-authorization-server", endpoint="authorization_server")
@public
def show() -> ResponseReturnValue:
    """What this provider can do."""
    response = Response(document.as_bytes(current_settings().issuer), mimetype="application/json")
    response.headers["Cache-Control"] = document.CACHE_CONTROL
    return response
