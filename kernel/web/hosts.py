"""Only requests for our own name are answered: links and redirects are built from settings."""

from flask import current_app
from werkzeug.exceptions import BadRequest

from kernel.web.cookies import origin_of
from kernel.web.requests import current_request

# A load balancer asks for these by address.
_ANY_HOST = frozenset({"health.live", "health.ready"})


class UnknownHost(BadRequest):
    """The `Host` header names somebody else."""

    description = "This address is not served here."


def refuse_unknown_hosts() -> None:
    """Answer 400 to a `Host` that is not ours."""
    asked = current_request()
    if asked.endpoint in _ANY_HOST:
        return
    if asked.environ.get("HTTP_HOST", "").lower() not in current_app.config["KNOWN_HOSTS"]:
        raise UnknownHost


def public_url(endpoint: str, **values: object) -> str:
    """The whole address of a view, for mails and other programs, from the configured origin."""
    origin = origin_of(current_app)
    address = current_app.url_map.bind(origin.netloc, url_scheme=origin.scheme)
    return address.build(endpoint, values, force_external=True)
