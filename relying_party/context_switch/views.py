"""Choosing the account to work in, and seeing what one may do there."""

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from kernel.i18n import current_language
from kernel.web import requires
from relying_party.context_switch import choices
from relying_party.contexts import current
from relying_party.contexts.context import PERSON, Context
from relying_party.grants.api_client import ApiClient
from relying_party.grants.service import Grants
from relying_party.sessions.current import signed_in, signed_in_or_none

EXTENSION = "klucznik.relying_party.contexts"
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
    home: str
    """The endpoint that somebody comes to who has chosen: its rule has `<context:context>`."""


@blueprint.get("/contexts")
@requires("session")
def page() -> ResponseReturnValue:
    """The accounts that one may work in, each a link."""
    person, contexts = signed_in(), _contexts()
    return render_template(
        "relying_party/contexts.html",
        choices=choices.choices(
            contexts.grants, contexts.api, person.session_id, application=contexts.application
        ),
        address=address,
        waiting_url=contexts.waiting_url,
    )


@blueprint.get("/a/<context:context>/permissions")
@requires("context")
def permissions(context: Context) -> ResponseReturnValue:
    """What the person may do in this account or company."""
    return render_template(
        "relying_party/permissions.html",
        work=current.work(),
        permitted=choices.permitted(
            _contexts().api, signed_in().session_id, context, language=current_language()
        ),
    )


def to_latest() -> ResponseReturnValue:
    """To the account that was worked in last, or to the choice of one."""
    held = [each for each in _contexts().grants.contexts(signed_in().session_id) if each != PERSON]
    if not held:
        return redirect(url_for("contexts.page"), code=303)
    return redirect(url_for(_contexts().home, context=held[0]), code=303)


def address(account: str, company: str | None = None) -> str:
    """Where work in this account or company begins."""
    return url_for(_contexts().home, context=Context(account, company))


def shell() -> dict[str, object]:
    """A context processor: the switch at the top of every page of somebody who is signed in."""
    if signed_in_or_none() is None:
        return {}
    work = current.work_or_none()
    return {
        "context_switch": "relying_party/context_switch.html",
        "context_name": work.name if work else None,
        "work": work,
    }


def _contexts() -> Contexts:
    return cast(Contexts, current_app.extensions[EXTENSION])
