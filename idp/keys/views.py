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
    with db.glancing() as glance:
        ring = service.ring(glance)
    if not service.is_complete(ring):
        service.ensure_keys(now=now)
        with db.glancing() as glance:
            ring = service.ring(glance)
    response = Response(ring.jwks(now), mimetype="application/json")
    seconds = current_settings().jwks_cache_seconds
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response
