"""The pages of «forgot password»: address → proof of the mailbox → new password."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.forms import explain
from idp.mailbox.pages import MailboxPages
from idp.mailbox.service import Purpose
from idp.recovery import service
from idp.recovery.forms import PasswordForm
from idp.recovery.service import MailboxNotProved
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from kernel import clock
from kernel.i18n import _
from kernel.web import public, toast

blueprint = Blueprint("recovery", __name__)


pages = MailboxPages(
    blueprint,
    "/reset",
    Purpose.RESET,
    address_page="recovery/address.html",
    code_page="recovery/code.html",
    confirm_page="recovery/confirm.html",
)
pages.add()


@blueprint.get("/reset/password")
@public
def password() -> ResponseReturnValue:
    """Ask for the new password."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        email = service.proved_email(flow_id, browser=this_browser(now), now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    return _password_page(PasswordForm(), email)


@blueprint.post("/reset/password")
@public
def submit_password() -> ResponseReturnValue:
    """Set it, and lead back to signing in with it."""
    now = clock.now()
    browser, form = this_browser(now), PasswordForm()
    flow_id = request.args.get("flow")
    try:
        problem = service.finish(flow_id, form.new_password.data or "", browser=browser, now=now)
        if problem is None:
            toast(_("The new password is set. Sign in with it."))
            return redirect(url_for("authorize.resume", flow=flow_id), 303)
        form.new_password.errors = [explain(problem)]
        email = service.proved_email(flow_id, browser=browser, now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    return make_response(_password_page(form, email), 422)


def _password_page(form: PasswordForm, email: str) -> str:
    return render_template(
        "recovery/password.html",
        form=form,
        email=email,
        minimum=current_settings().password_min_length,
        flow_id=request.args.get("flow"),
    )
