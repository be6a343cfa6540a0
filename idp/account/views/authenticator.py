"""The authenticator app, and the recovery codes."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import authenticator as app_factor
from idp.account import security as own_security
from idp.account.authenticator import Added
from idp.account.forms import CodeForm
from idp.account.pages import blueprint, has_better_than_mail, recently_signed_in
from idp.account.words import wait
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from idp.sign_in.outcomes import Throttled
from idp.sign_in.waiting import too_many
from kernel import clock
from kernel.i18n import _
from kernel.web import toast


@blueprint.get("/account/authenticator")
@recently_signed_in
def authenticator(me: SignedIn) -> ResponseReturnValue:
    """Show the QR code and the key, and ask for a first code."""
    return _authenticator_page(CodeForm(), me)


@blueprint.post("/account/authenticator")
@recently_signed_in
def add_authenticator(me: SignedIn) -> ResponseReturnValue:
    """Check the first code. The recovery codes are on the answer, and nowhere else ever."""
    now = clock.now()
    form = CodeForm()
    outcome = app_factor.confirm(
        me, (form.code.data or "")[:100], browser=this_browser(now), now=now
    )
    match outcome:
        case Added(cookies, codes):
            response = make_response(_added_page(codes))
            cookies.give(response)
            return response
        case Throttled():
            form.code.errors = [wait(outcome)]
            return too_many(_authenticator_page(form, me), outcome)
        case None:
            form.code.errors = [
                _("This code is not right. Check that the clock of your phone is, and try again.")
            ]
    return make_response(_authenticator_page(form, me), 422)


@blueprint.post("/account/authenticator/remove")
@recently_signed_in
def remove_authenticator(me: SignedIn) -> ResponseReturnValue:
    """Go back to codes by mail."""
    now = clock.now()
    app_factor.remove(me, browser=this_browser(now), now=now)
    if has_better_than_mail(me):
        toast(_("The authenticator app is removed."))
    else:
        toast(_("The authenticator app is removed. From now on codes come by mail."))
    return redirect(url_for("account.security"), 303)


@blueprint.get("/account/recovery-codes")
@recently_signed_in
def recovery_codes(me: SignedIn) -> ResponseReturnValue:
    """Say how many codes are left, and offer new ones."""
    return render_template("account/recovery_codes.html", factors=own_security.factors(me))


@blueprint.post("/account/recovery-codes")
@recently_signed_in
def make_recovery_codes(me: SignedIn) -> ResponseReturnValue:
    """Make a new sheet; the codes are on the answer, and nowhere else ever."""
    now = clock.now()
    codes = app_factor.new_sheet(me, browser=this_browser(now), now=now)
    if codes is None:
        return redirect(url_for("account.security"), 303)
    return _sheet_page(codes)


def _authenticator_page(form: CodeForm, me: SignedIn) -> str:
    return render_template(
        "account/authenticator.html",
        form=form,
        enrolment=app_factor.begin(me, now=clock.now()),
        flow_id=request.args.get("flow"),
    )


def _added_page(codes: tuple[str, ...]) -> ResponseReturnValue:
    done, flow_id = _("The authenticator app is added."), request.args.get("flow")
    if codes:
        return _sheet_page(codes, done=str(done))
    toast(done)
    onward = url_for("authorize.resume", flow=flow_id) if flow_id else None
    return redirect(onward or url_for("account.security"), 303)


def _sheet_page(codes: tuple[str, ...], *, done: str = "") -> str:
    return render_template(
        "account/sheet.html", codes=codes, done=done, flow_id=request.args.get("flow")
    )
