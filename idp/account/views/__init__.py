"""The account pages, a module each. All of them are the person's own; `pages` sees to it."""

from idp.account.pages import blueprint
from idp.account.views import authenticator, password, profile, security, sessions

__all__ = ["authenticator", "blueprint", "password", "profile", "security", "sessions"]
