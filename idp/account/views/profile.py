"""The profile."""

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp.account import profile as own_profile
from idp.account.forms import ProfileForm
from idp.account.pages import blueprint, signed_in
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from kernel import clock
from kernel.i18n import _, current_language, speaking
from kernel.web import public, remember_language, toast


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
    response = make_response(redirect(url_for("account.profile"), 303))
    if values["locale"] is not None:
        remember_language(response, values["locale"])
    return response
