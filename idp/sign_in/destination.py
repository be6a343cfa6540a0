"""Where somebody is going when they sign in, in the words of the page."""

from idp.clients import service as clients
from idp.flows.service import AnyFlow
from tenants.database import db


def application_of(flow: AnyFlow) -> str | None:
    """The id of the application that asked for the sign-in, or None for a page of ours."""
    client_id = (flow.request or {}).get("client_id")
    return client_id if isinstance(client_id, str) else None


def destination_of(flow: AnyFlow) -> str | None:
    """The name of the application that asked for the sign-in, or None for a page of ours."""
    client_id = application_of(flow)
    if client_id is None:
        return None
    with db.glancing() as glance:
        client = clients.find(glance, client_id)
    return client.name if client is not None else None
