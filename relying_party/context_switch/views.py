"""Choosing the account to work in, and seeing what one may do there."""

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kernel.i18n import current_language
from kernel.web import requires
from relying_party.context_switch import choices
from relying_party.context_switch.choices import Choice, Permitted
from relying_party.contexts import current
from relying_party.contexts.context import PERSON, Context
from relying_party.grants.api_client import ApiClient
from relying_party.grants.service import Grants
from relying_party.sessions.current import signed_in, signed_in_or_none

EXTENSION = "klucznik.relying_party.contexts"
_MANY = 10
_LONGEST_SEARCH = 100
blueprint = Blueprint("contexts", __name__)


@dataclass(frozen=True)
class Contexts:
    """What the views need of the application."""

    grants: Grants
    api: ApiClient
    """The identity program's own."""
    application: str
    """What this application is called among those that accounts have."""
    waiting_url: str
    """The identity program's page on which somebody accepts a place in an account."""
    new_account_url: str
    """The portal's page on which somebody creates an account."""
    home: str
    """The endpoint that somebody comes to who has chosen: its rule has `<context:context>`."""


@blueprint.get("/contexts")
@requires("session")
def page() -> ResponseReturnValue:
    """The accounts that one may work in, each a link."""
    known = own_choices()
    search = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    lines = sum(1 + len(one.companies) for one in known)
    return render_template(
        "relying_party/contexts.html",
        choices=choices.matching(known, search) if search else known,
        has_any=bool(known),
        can_search=bool(search) or lines > _MANY,
        search=search,
    )


@blueprint.get("/a/<context:context>/permissions")
@requires("context")
def permissions(context: Context) -> ResponseReturnValue:
    """What the person may do in this account or company."""
    return render_template(
        "relying_party/permissions.html",
        work=current.work(),
        permitted=[each for each in own_permissions(context) if each.permissions],
    )


def own_choices() -> list[Choice]:
    """The accounts of the person who asks; raises ApiUnreachable and what tokens raise."""
    contexts = _contexts()
    return choices.choices(
        contexts.grants, contexts.api, signed_in().session_id, application=contexts.application
    )


def own_permissions(context: Context) -> list[Permitted]:
    """What the person who asks may do in this context; raises ApiUnreachable and what tokens raise."""
    return choices.permitted(
        _contexts().api, signed_in().session_id, context, language=current_language()
    )


def to_latest() -> ResponseReturnValue:
    """To the account that was worked in last, or to the choice of one."""
    held = [each for each in _contexts().grants.contexts(signed_in().session_id) if each != PERSON]
    if not held:
        return redirect(url_for("contexts.page"), code=303)
    return redirect(address(held[0]), code=303)


def address(context: Context) -> str:
    """Where work in this account or company begins."""
    return url_for(_contexts().home, context=context)


def shell() -> dict[str, object]:
    """A context processor: the switch at the top of every page of somebody who is signed in."""
    if signed_in_or_none() is None:
        return {}
    work, contexts = current.work_or_none(), _contexts()
    return {
        "context_switch": "relying_party/context_switch.html",
        "context_name": work.name if work else None,
        "work": work,
        "context_address": _address,
        "waiting_url": contexts.waiting_url,
        "new_account_url": contexts.new_account_url,
    }


def _address(account: str, company: str | None = None) -> str:
    return address(Context(account, company))


def _contexts() -> Contexts:
    return cast(Contexts, current_app.extensions[EXTENSION])
