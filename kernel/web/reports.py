"""Where browsers report what the Content-Security-Policy stopped."""

import json

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kernel.observability.logs import get_logger
from kernel.observability.metrics import counter
from kernel.web.access import csrf_exempt, public
from kernel.web.security_headers import REPORT_PATH

log = get_logger(__name__)

blueprint = Blueprint("reports", __name__)

_LARGEST = 16_384
_DIRECTIVES = frozenset(
    [
        "default-src",
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "style-src",
        "style-src-elem",
        "style-src-attr",
        "img-src",
        "font-src",
        "connect-src",
        "form-action",
        "frame-ancestors",
        "base-uri",
        "object-src",
    ]
)
_violations = counter(
    "csp_violations_total", "Reports of the content security policy", ["directive"]
)


@blueprint.post(REPORT_PATH)
@public
@csrf_exempt
def receive() -> ResponseReturnValue:
    """Count a report. Anybody can send one, so little of it is believed and less is kept."""
    try:
        sent = json.loads(request.stream.read(_LARGEST))
        report = sent["csp-report"]
        directive = str(report.get("effective-directive") or report.get("violated-directive"))
        directive = directive.partition(" ")[0]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", 400
    directive = directive if directive in _DIRECTIVES else "other"
    _violations.labels(directive).inc()
    log.warning("csp_violation", directive=directive)
    return "", 204
