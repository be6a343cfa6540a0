"""The home page."""

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from kernel.observability.logs import get_logger
from kernel.web import requires
from portal.applications import recent
from portal.home import quick_access
from portal.settings import portal_settings_of
from portal.shell import applications_url
from relying_party.context_switch.choices import Choice
from relying_party.context_switch.views import own_choices
from relying_party.contexts.context import Context
from relying_party.errors import ApiUnreachable, ContextOver, IdentityUnreachable
from relying_party.sessions.current import signed_in

_MOST_ACCOUNTS = 5

log = get_logger(__name__)
blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@requires("session")
def page() -> ResponseReturnValue:
    """Quick access, the accounts to work in, and the applications that were used last."""
    return _home(accounts=_accounts())


@blueprint.get("/a/<context:context>")
@requires("context")
def page_in_context(context: Context) -> ResponseReturnValue:
    """The same, for who works in an account."""
    return _home(accounts=None)


def _home(*, accounts: list[Choice] | None) -> str:
    settings = portal_settings_of(current_app)
    return render_template(
        "home/page.html",
        person=signed_in(),
        groups=quick_access.groups(
            settings,
            applications_url=applications_url(),
            contexts_url=url_for("contexts.page"),
        ),
        accounts=accounts,
        most_accounts=_MOST_ACCOUNTS,
        recently_used=recent.used_by(signed_in(), settings),
    )


def _accounts() -> list[Choice] | None:
    """The person's accounts; None where they are not told just now: the rest of the page is there."""
    try:
        return own_choices()
    except (ApiUnreachable, IdentityUnreachable, ContextOver) as failure:
        log.warning("accounts_not_told", error=type(failure).__name__, detail=failure.detail)
        return None
