"""Login security: how one proves who one is, where one is signed in, and what happened."""

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from idp.account import history as own_history
from idp.account import security as own_security
from idp.account.history import Subject
from idp.account.pages import blueprint, signed_in
from idp.account.words import EVENTS, MEANS
from idp.places import place_of
from idp.sessions.service import SignedIn
from idp.sessions.user_agents import device_name, is_mobile
from kernel import clock

_SHOWN_AT_FIRST = 5
_PAGE = 25


@blueprint.get("/account/security")
@signed_in
def security(me: SignedIn) -> ResponseReturnValue:
    """Show everything that has to do with signing in, each with the way to its end."""
    return render_template(
        "account/security.html",
        me=me,
        factors=own_security.factors(me),
        places=own_security.places(me, now=clock.now()),
        shown_at_first=_SHOWN_AT_FIRST,
        history=own_history.of(me, Subject.SIGN_INS, limit=_SHOWN_AT_FIRST),
    )


@blueprint.get("/account/history")
@signed_in
def history(me: SignedIn) -> ResponseReturnValue:
    """Show what happened, a page at a time."""
    subject = Subject.of(request.args.get("show"))
    return render_template(
        "account/history.html",
        me=me,
        subject=subject,
        subjects=Subject,
        is_later=bool(request.args.get("before")),
        history=own_history.of(me, subject, limit=_PAGE, before=_cursor()),
    )


@blueprint.context_processor
def _words() -> dict[str, object]:
    """How the lists say what they list."""
    return {
        "device_name": device_name,
        "is_mobile": is_mobile,
        "place_of": place_of,
        "event_words": EVENTS,
        "means_words": MEANS,
    }


def _cursor() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None
