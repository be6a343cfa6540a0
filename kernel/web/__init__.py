"""The web side that all programs share: what a request passes, what a response carries, how pages look.

Start at `app.create_app`; each module here is about one thing that it sets up.
"""

from kernel.web.access import csrf_exempt, public, requirement_of, requires
from kernel.web.app import create_app, settings_of
from kernel.web.assets import static_url
from kernel.web.browser import browser_id, forget_browser, known_browser_id
from kernel.web.cookies import delete_cookie, origin_of, read_cookie, set_cookie
from kernel.web.csrf import PageExpired
from kernel.web.errors import error_page
from kernel.web.forward import forward, forward_form
from kernel.web.health import health_of
from kernel.web.hosts import public_url
from kernel.web.policy import allow_form_action, allow_source, no_referrer
from kernel.web.preferences import remember_language
from kernel.web.printed import fill_in
from kernel.web.requests import RequestFacts, request_facts
from kernel.web.returns import is_own_path, own_path
from kernel.web.shell import Application, Column, MenuLink, NavigationItem, Page, PersonMenu, toast

__all__ = [
    "Application",
    "Column",
    "MenuLink",
    "NavigationItem",
    "Page",
    "PageExpired",
    "PersonMenu",
    "RequestFacts",
    "allow_form_action",
    "allow_source",
    "browser_id",
    "create_app",
    "csrf_exempt",
    "delete_cookie",
    "error_page",
    "fill_in",
    "forget_browser",
    "forward",
    "forward_form",
    "health_of",
    "is_own_path",
    "known_browser_id",
    "no_referrer",
    "origin_of",
    "own_path",
    "public",
    "public_url",
    "read_cookie",
    "remember_language",
    "request_facts",
    "requirement_of",
    "requires",
    "set_cookie",
    "settings_of",
    "static_url",
    "toast",
]
