"""The pages of signing in: one question each. Every step ends by going back to `authorize.resume`."""

from idp.sign_in.views import address, code, password
from idp.sign_in.views.pages import blueprint

__all__ = ["address", "blueprint", "code", "password"]
