"""Our own applications, as accounts know them: what each is, and what it lets people do (OP-4).

What they can do themselves is told to the identity program here, as any other application tells it
with `klucznik application declare`. Doing it again changes nothing.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.settings import IdentitySettings
from tenants.applications import own
from tenants.applications import service as applications
from tenants.applications.service import Declared

PORTAL = "portal"
CRM = "crm"

CRM_PERMISSIONS = (
    Declared("contacts:read", "See contacts", "Podgląd kontaktów"),
    Declared("contacts:write", "Edit contacts", "Edycja kontaktów"),
    Declared(
        "client-accounts:create",
        "Create a client's account in the panel",
        "Tworzenie konta klienta w panelu",
    ),
    Declared("settings:manage", "Change settings", "Zmiana ustawień"),
)


def declare(session: Session, settings: IdentitySettings, *, now: datetime) -> None:
    """Declare the identity program's own API, the portal and the CRM."""
    changed = applications.declare(
        session,
        application=applications.ACCOUNTS,
        name="Konta",
        audience=f"{settings.issuer}/api",
        context="account",
        for_every_account=True,
        permissions=own.PERMISSIONS,
        now=now,
    )
    changed |= applications.declare(
        session,
        application=PORTAL,
        name="Portal",
        audience=settings.portal_url,
        context="none",
        for_every_account=True,
        permissions=(),
        now=now,
    )
    changed |= applications.declare(
        session,
        application=CRM,
        name="CRM",
        audience=settings.crm_url,
        context="account",
        for_every_account=False,
        permissions=CRM_PERMISSIONS,
        now=now,
    )
    if changed:
        clients.applications_changed(session)
