"""The token endpoint."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from idp.client_requests import form_parameters, json_response, refuse_in_json
from idp.protocol.errors import InvalidRequest
from idp.settings import current_settings
from idp.token.authorization_code import AuthorizationCodeGrant
from idp.token.client_credentials import ClientCredentialsGrant
from idp.token.refresh_token import RefreshTokenGrant
from idp.token.server import TokenAnswer, TokenRequest, TokenServer
from kernel import clock
from kernel.web import csrf_exempt, requires

blueprint = Blueprint("token", __name__)
refuse_in_json(blueprint)

server = TokenServer()
server.register_grant(AuthorizationCodeGrant)
server.register_grant(RefreshTokenGrant)
server.register_grant(ClientCredentialsGrant)


@blueprint.post("/token")
@requires("client")
@csrf_exempt
def exchange() -> ResponseReturnValue:
    """Trade a grant for tokens."""
    parameters = form_parameters()
    if "grant_type" not in parameters:
        raise InvalidRequest("grant_type is missing")
    asked = TokenRequest(
        parameters,
        authorization=request.headers.get("Authorization"),
        issuer=current_settings().issuer,
        now=clock.now(),
    )
    answer: TokenAnswer = server.create_token_response(asked)
    return json_response(answer.body, answer.status, answer.headers)
