"""Where the identity program pushes security events to (RFC 8935)."""

from typing import cast

from flask import Blueprint, current_app, make_response, request
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.observability.logs import get_logger
from kernel.observability.metrics import counter
from kernel.web import csrf_exempt, requires
from relying_party.client import SECURITY_EVENTS_PATH
from relying_party.errors import EventRefused
from relying_party.security_events.service import SecurityEvents

EXTENSION = "klucznik.relying_party.security_events"
blueprint = Blueprint("security_events", __name__)
log = get_logger(__name__)

_tokens = counter("security_events_total", "Security events received", ["program", "result"])


@blueprint.post(SECURITY_EVENTS_PATH)
@requires("client")
@csrf_exempt
def receive() -> ResponseReturnValue:
    """The provider says, signed, what has changed for whom."""
    try:
        if request.mimetype != "application/secevent+jwt":
            raise EventRefused("not a security event token")
        _security_events().receive(_body(), now=clock.now())
    except EventRefused as refusal:
        _tokens.labels(current_app.name, "refused").inc()
        log.warning("security_event_refused", reason=refusal.reason, detail=refusal.detail)
        response = make_response({"err": refusal.reason, "description": refusal.detail}, 400)
        response.headers["Content-Language"] = "en"
    else:
        _tokens.labels(current_app.name, "success").inc()
        response = make_response("", 202)
    response.headers["Cache-Control"] = "no-store"
    return response


def _body() -> str:
    try:
        return request.get_data().decode("ascii")
    except UnicodeDecodeError as malformed:
        raise EventRefused("not ASCII") from malformed


def _security_events() -> SecurityEvents:
    return cast(SecurityEvents, current_app.extensions[EXTENSION])
