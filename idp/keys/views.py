"""The published keys."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from idp.keys import service
from idp.settings import current_settings
from kernel import clock
from kernel.web import public
from tenants.database import db

blueprint = Blueprint("keys", __name__)


@blueprint.get("/jwks")
@public
def jwks() -> ResponseReturnValue:
    """The keys that our tokens are checked with (RFC 7517 §5)."""
    now = clock.now()
    with db.reading() as session:
        ring = service.ring(session)
    # Clients keep what they read: a list without one of the algorithms would be wrong for long.
    if not all(ring.newest(algorithm) for algorithm in service.ALGORITHMS):
        service.ensure_keys(now=now)
        with db.reading() as session:
            ring = service.ring(session)
    response = Response(ring.jwks(now), mimetype="application/json")
    seconds = current_settings().jwks_cache_seconds
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response
