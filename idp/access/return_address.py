"""Where a mail about access may lead: to an application that is registered here, or to the portal."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from idp.access.models import LONGEST_RETURN
from idp.clients import redirect_uris
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.settings import current_settings
from kernel.errors import Refused


class NotAnAddressOfOurs(Refused):
    """Nobody registered an application at this address; a mail of ours doesn't lead there."""

    reason = "return_address_refused"


def default() -> str:
    """The portal's door: whoever comes without a session signs in."""
    return f"{current_settings().portal_url}/login"


def check(session: Session, url: str, *, application: str | None) -> str:
    """The address as it is, if a mail may lead there; raises NotAnAddressOfOurs.

    An application names addresses of its own; the operator (None) those of any application.
    """
    if len(url) > LONGEST_RETURN or redirect_uris.why_refuse(url) is not None:
        raise NotAnAddressOfOurs("not a plain address")
    if _origin(url) != _origin(current_settings().portal_url) and not any(
        _origin(url) in _origins(client) for client in _clients(session, application)
    ):
        raise NotAnAddressOfOurs("no application is registered at this address")
    return url


def is_good(session: Session, url: str) -> bool:
    """Whether the address still is one of ours: applications come and go."""
    try:
        check(session, url, application=None)
    except NotAnAddressOfOurs:
        return False
    return True


def _clients(session: Session, application: str | None) -> Iterable[RegisteredClient]:
    if application is None:
        return (client for client in clients.listed(session) if not client.disabled)
    client = clients.find(session, application)
    return () if client is None else (client,)


def _origins(client: RegisteredClient) -> set[str]:
    """Those that signed-in people are sent back to; a native application has none to speak of."""
    return set() if client.is_native else {_origin(uri) for uri in client.redirect_uris}


def _origin(url: str) -> str:
    """Scheme, host and port, as addresses are compared.

    >>> _origin("https://App.example:443/callback?a=b")
    'https://app.example'
    """
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
