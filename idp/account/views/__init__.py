"""The account pages, a module each. All of them are the person's own; `pages` sees to it."""

from idp.account.pages import blueprint
from idp.account.views import (
    authenticator,
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
    "passkeys",
    "password",
    "profile",
    "security",
    "sessions",
    "well_known",
]
