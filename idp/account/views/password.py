"""Changing the password."""

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp.account import password as password_change
from idp.account.forms import PasswordForm
from idp.account.pages import blueprint, proof_first, signed_in
from idp.account.password import Proofs, WrongProof
from idp.account.words import wait
from idp.credentials.password import Problem
from idp.forms import explain
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from idp.sign_in.outcomes import Throttled
from idp.sign_in.waiting import too_many
from kernel import clock
from kernel.i18n import _
from kernel.web import toast


@blueprint.get("/account/password")
@signed_in
def password(me: SignedIn) -> ResponseReturnValue:
    """Ask for the current and the new password; who has none sets a first one."""
    proofs = password_change.proofs(me)
    missing = proof_first(me, clock.now()) if proofs.fresh else None
    return missing if missing is not None else _password_page(PasswordForm(), me, proofs)


@blueprint.post("/account/password")
@signed_in
def change_password(me: SignedIn) -> ResponseReturnValue:
    """Change the password, and sign out everywhere else."""
    now = clock.now()
    form, proofs = PasswordForm(), password_change.proofs(me)
    missing = proof_first(me, now) if proofs.fresh else None
    if missing is not None:
        return missing
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
            changed = make_response(redirect(url_for("account.security"), 303))
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
            (form.password if proofs.password else form.new_password).errors = [wait(outcome)]
            return too_many(_password_page(form, me, proofs), outcome)
    return make_response(_password_page(form, me, proofs), 422)


def _password_page(form: PasswordForm, me: SignedIn, proofs: Proofs) -> str:
    return render_template(
        "account/password.html",
        form=form,
        me=me,
        proofs=proofs,
        minimum=current_settings().password_min_length,
    )
