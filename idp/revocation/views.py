"""The revocation endpoint."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from idp.client_requests import (
    authenticated_client,
    form_parameters,
    json_response,
    refuse_in_json,
)
from idp.protocol.errors import InvalidRequest
from idp.revocation import service
from idp.settings import current_settings
from kernel import clock
from kernel.web import csrf_exempt, requires

blueprint = Blueprint("revocation", __name__)
refuse_in_json(blueprint)


@blueprint.post("/revoke")
@requires("client")
@csrf_exempt
def revoke() -> ResponseReturnValue:
    """End a token of the client that asks. The answer is the same whether there was one."""
    now = clock.now()
    parameters = form_parameters()
    client = authenticated_client(parameters, now=now)
    if "token" not in parameters:
        raise InvalidRequest("token is missing")
    service.revoke(parameters["token"], client=client, issuer=current_settings().issuer, now=now)
    return json_response({})
