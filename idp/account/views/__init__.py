"""The account pages, a module each. All of them are the person's own; `pages` sees to it."""

from idp.account.pages import blueprint
from idp.account.views import (
    authenticator,
    invitations,
    passkeys,
    password,
    profile,
    security,
    sessions,
    well_known,
)

__all__ = [
    "authenticator",
    "blueprint",
    "invitations",
    "passkeys",
    "password",
    "profile",
    "security",
    "sessions",
    "well_known",
]
