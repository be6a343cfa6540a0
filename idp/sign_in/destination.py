"""Where somebody is going when they sign in, in the words of the page."""

from idp.clients import service as clients
from idp.flows.service import Flow
from tenants.database import db


def destination_of(flow: Flow) -> str | None:
    """The name of the application that asked for the sign-in, or None for a page of ours."""
    client_id = (flow.request or {}).get("client_id")
    if not isinstance(client_id, str):
        return None
    with db.reading() as session:
        client = clients.find(session, client_id)
    return client.name if client is not None else None
