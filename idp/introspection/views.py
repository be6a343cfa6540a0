"""The introspection endpoint."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from idp.client_requests import (
    form_parameters,
    json_response,
    presented_client,
    refuse_in_json,
)
from idp.introspection import service
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.settings import current_settings
from kernel import clock
from kernel.web import csrf_exempt, requires
from tenants.database import db

blueprint = Blueprint("introspection", __name__)
refuse_in_json(blueprint)


@blueprint.post("/introspect")
@requires("client")
@csrf_exempt
def inspect() -> ResponseReturnValue:
    """Say whether a token is good, to a client that proved who it is."""
    now = clock.now()
    parameters = form_parameters()
    find_client = presented_client(parameters, now=now)
    with db.glancing() as glance:
        client = find_client(glance)
        if client.is_public:
            raise InvalidClient("a public client may not introspect")
        if "token" not in parameters:
            raise InvalidRequest("token is missing")
        found = service.inspect(
            glance,
            parameters["token"],
            client=client,
            issuer=current_settings().issuer,
            now=now,
        )
    return json_response(found)
