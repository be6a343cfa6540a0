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
from idp.settings import current_settings
from kernel import clock
from kernel.web import csrf_exempt, requires

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
    issuer = current_settings().issuer
    return json_response(service.answer(parameters, find_client, issuer=issuer, now=now))
