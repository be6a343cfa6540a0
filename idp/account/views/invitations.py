"""Accounts that have added the person, and wait for a yes or a no."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import waiting
from idp.account.pages import blueprint, signed_in
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from kernel import clock
from kernel.errors import Refused
from kernel.i18n import _
from kernel.web import toast


@blueprint.get("/account/invitations")
@signed_in
def invitations(me: SignedIn) -> ResponseReturnValue:
    """Show what waits."""
    return render_template(
        "account/invitations.html",
        waiting=waiting.waiting(me),
        portal_url=current_settings().portal_url,
    )


@blueprint.post("/account/invitations")
@signed_in
def answer_invitation(me: SignedIn) -> ResponseReturnValue:
    """Take the place that an account gave, or decline it."""
    now = clock.now()
    accepted, declined = request.form.get("accept"), request.form.get("decline")
    try:
        if accepted is not None:
            place = waiting.accept(me, accepted, now=now)
            toast(_("You are a user of %(account)s now.", account=place.name))
        elif declined is not None:
            place = waiting.decline(me, declined, now=now)
            toast(_("You have declined. %(account)s sees that.", account=place.name))
    except Refused:
        toast(_("This was answered already, or the account has taken it back."), kind="warning")
    return redirect(url_for("account.invitations"), 303)
