"""For whom a token is: exactly one audience, chosen by `resource` (RFC 8707) or by default."""

from collections.abc import Sequence

from idp.clients.service import RegisteredClient
from idp.protocol.errors import InvalidTarget


def choose(
    requested: Sequence[str],
    *,
    granted: Sequence[str],
    client: RegisteredClient,
    issuer: str,
    default: str,
) -> str:
    """The one audience; raises InvalidTarget.

    `granted` is what the authorization request named. The issuer itself stands for userinfo, which
    every sign-in may ask.
    """
    if len(set(requested)) > 1:
        raise InvalidTarget("a token has one audience, so name one resource at a time")
    if not requested and not granted:
        return default
    if not requested and len(set(granted)) > 1:
        raise InvalidTarget("several resources were granted, so name the one that is meant")
    audience = (requested or granted)[0]
    if audience != issuer and audience not in client.audiences:
        raise InvalidTarget("the client may not ask for this resource")
    if granted and audience != issuer and audience not in granted:
        raise InvalidTarget("this resource was not granted")
    return audience
