"""The account pages. All of them are the person's own; `pages` sees to it."""

from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import authenticator as app_factor
from idp.account import password as password_change
from idp.account import profile as own_profile
from idp.account import security as own_security
from idp.account.authenticator import Added
from idp.account.forms import CodeForm, PasswordForm, ProfileForm
from idp.account.pages import blueprint, recently_signed_in, signed_in
from idp.account.password import WrongProof
from idp.credentials.password import Problem
from idp.forms import explain
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from idp.sessions.user_agents import device_name, is_mobile
from idp.settings import current_settings
from idp.sign_in.outcomes import Throttled
from kernel import clock
from kernel.i18n import _, current_language, ngettext, speaking
from kernel.web import forget_browser, public, remember_language, toast

__all__ = ["blueprint"]


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """The bare address of the program leads to one's own pages."""
    return redirect(url_for("account.profile"), 303)


@blueprint.get("/account")
@signed_in
def profile(me: SignedIn) -> ResponseReturnValue:
    """Show the profile."""
    person = own_profile.of(me)
    return render_template("account/profile.html", form=ProfileForm(obj=person), person=person)


@blueprint.post("/account")
@signed_in
def save_profile(me: SignedIn) -> ResponseReturnValue:
    """Keep a changed profile."""
    now = clock.now()
    form = ProfileForm()
    if not form.validate():
        page = render_template("account/profile.html", form=form, person=own_profile.of(me))
        return make_response(page, 422)
    values = {name: (text or "").strip() or None for name, text in form.data.items()}
    own_profile.change(me, values, browser=this_browser(now), now=now)
    # In the language that was just chosen, if one was.
    with speaking(values["locale"] or current_language()):
        toast(_("The profile is saved."))
    response: Response = redirect(url_for("account.profile"), 303)  # type: ignore[assignment]
    if values["locale"] is not None:
        remember_language(response, values["locale"])
    return response


@blueprint.get("/account/security")
@signed_in
def security(me: SignedIn) -> ResponseReturnValue:
    """Show how the person proves who they are."""
    return render_template("account/security.html", factors=own_security.factors(me), me=me)


@blueprint.get("/account/password")
@signed_in
def password(me: SignedIn) -> ResponseReturnValue:
    """Ask for the current and the new password."""
    return _password_page(PasswordForm(), me)


@blueprint.post("/account/password")
@signed_in
def change_password(me: SignedIn) -> ResponseReturnValue:
    """Change the password, and sign out everywhere else."""
    now = clock.now()
    form = PasswordForm()
    outcome = password_change.change(
        me,
        current=form.password.data or "",
        new=form.new_password.data or "",
        code=(form.code.data or "")[:100],
        browser=this_browser(now),
        now=now,
    )
    match outcome:
        case None:
            toast(_("The password is changed. You are signed out everywhere else."))
            changed: Response = redirect(url_for("account.security"), 303)  # type: ignore[assignment]
            secret = password_change.renew_session(me, now=now)
            if secret is not None:
                sessions.give_cookie(changed, secret)
            return changed
        case WrongProof.PASSWORD:
            form.password.errors = [_("This is not your current password.")]
        case WrongProof.CODE:
            form.code.errors = [_("This code is not right, or it has expired.")]
        case Problem():
            form.new_password.errors = [explain(outcome)]
        case Throttled():
            form.password.errors = [_wait(outcome)]
            response = make_response(_password_page(form, me), 429)
            response.headers["Retry-After"] = str(outcome.retry_after)
            return response
    return make_response(_password_page(form, me), 422)


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
            response = make_response(_sheet_page(codes, is_new=True))
            cookies.give(response)
            return response
        case Throttled():
            form.code.errors = [_wait(outcome)]
            response = make_response(_authenticator_page(form, me), 429)
            response.headers["Retry-After"] = str(outcome.retry_after)
            return response
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
    return _sheet_page(codes, is_new=False)


@blueprint.get("/account/sessions")
@signed_in
def open_sessions(me: SignedIn) -> ResponseReturnValue:
    """Show where the person is signed in."""
    return render_template(
        "account/sessions.html",
        places=own_security.places(me, now=clock.now()),
        me=me,
        device_name=device_name,
        is_mobile=is_mobile,
    )


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@recently_signed_in
def end_session(me: SignedIn, session_id: UUID) -> ResponseReturnValue:
    """End one session."""
    now = clock.now()
    own_security.end_session(me, session_id, browser=this_browser(now), now=now)
    toast(_("That device is signed out."))
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/account/sessions/end-others")
@recently_signed_in
def end_other_sessions(me: SignedIn) -> ResponseReturnValue:
    """Sign out everywhere else."""
    now = clock.now()
    ended = own_security.end_others(me, browser=this_browser(now), now=now)
    toast(
        ngettext(
            "You are signed out on %(num)d other device.",
            "You are signed out on %(num)d other devices.",
            ended,
        )
    )
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/account/devices/<uuid:device_id>/forget")
@signed_in
def forget_device(me: SignedIn, device_id: UUID) -> ResponseReturnValue:
    """Ask for a code again on one device."""
    now = clock.now()
    own_security.forget_device(me, device_id, browser=this_browser(now), now=now)
    toast(_("That device will be asked for a code again."))
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/sign-out")
@signed_in
def sign_out(me: SignedIn) -> ResponseReturnValue:
    """Sign out of this browser, and of every application that was entered from here."""
    now = clock.now()
    own_security.sign_out(me, browser=this_browser(now), now=now)
    forget_browser()
    return redirect(url_for("logout.done"), 303)


def _password_page(form: PasswordForm, me: SignedIn) -> str:
    return render_template(
        "account/password.html",
        form=form,
        me=me,
        asks_code=password_change.needs_code(me),
        minimum=current_settings().password_min_length,
    )


def _authenticator_page(form: CodeForm, me: SignedIn) -> str:
    return render_template(
        "account/authenticator.html",
        form=form,
        enrolment=app_factor.begin(me, now=clock.now()),
        flow_id=request.args.get("flow"),
    )


def _sheet_page(codes: tuple[str, ...], *, is_new: bool) -> str:
    return render_template(
        "account/sheet.html", codes=codes, is_new=is_new, flow_id=request.args.get("flow")
    )


def _wait(throttled: Throttled) -> str:
    if throttled.for_good:
        return str(
            _("There were too many wrong tries. Sign out, and set a new password at sign-in.")
        )
    minutes = -(-throttled.retry_after // 60)
    return str(
        ngettext(
            "Too many wrong tries. Try again in %(num)d minute.",
            "Too many wrong tries. Try again in %(num)d minutes.",
            minutes,
        )
    )
