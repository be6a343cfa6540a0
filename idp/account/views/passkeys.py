"""Passkeys and security keys: the list, adding, renaming, removing."""

from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import passkeys as own_passkeys
from idp.account.forms import NewPasskeyForm, PasskeyNameForm
from idp.account.pages import blueprint, recently_signed_in, signed_in
from idp.account.passkeys import LastWayIn
from idp.credentials.ceremonies import LONGEST_ANSWER, PasskeyRefused
from idp.credentials.passkeys import LONGEST_NAME, AlreadyKnown, TooMany
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from idp.sessions.user_agents import device_name
from kernel import clock
from kernel.i18n import _
from kernel.observability.logs import get_logger
from kernel.web import toast

log = get_logger(__name__)


@blueprint.get("/account/passkeys")
@signed_in
def passkeys(me: SignedIn) -> ResponseReturnValue:
    """Show the person's passkeys and security keys."""
    known = own_passkeys.of(me)
    accepted = own_passkeys.accepted(known) if known else None
    return render_template("account/passkeys.html", passkeys=known, accepted=accepted)


@blueprint.get("/account/passkeys/add")
@recently_signed_in
def new_passkey(me: SignedIn) -> ResponseReturnValue:
    """Offer to make one, under a name that says where."""
    form = NewPasskeyForm()
    form.name.data = device_name(this_browser(clock.now()).where.user_agent) or _("Passkey")
    return _new_page(form)


@blueprint.post("/account/passkeys/options")
@recently_signed_in
def passkey_options(me: SignedIn) -> ResponseReturnValue:
    """What the browser is to make."""
    now = clock.now()
    return own_passkeys.ask_to_add(me, browser=this_browser(now), now=now)


@blueprint.post("/account/passkeys/add")
@recently_signed_in
def add_passkey(me: SignedIn) -> ResponseReturnValue:
    """Keep what the browser made. Recovery codes are on the answer, and nowhere else ever."""
    now = clock.now()
    browser, form = this_browser(now), NewPasskeyForm()
    if not form.validate():
        return make_response(_new_page(form), 422)
    try:
        added = own_passkeys.add(
            me,
            (form.credential.data or "")[: LONGEST_ANSWER + 1],
            _one_line(form.name.data or ""),
            browser=browser,
            now=now,
        )
    except PasskeyRefused as refused:
        log.info("passkey_refused", detail=refused.detail)
        return make_response(_new_page(form, str(_why(refused))), 422)
    flow_id = request.args.get("flow")
    if added.codes:
        done = _("The passkey is added.")
        page = render_template("account/sheet.html", codes=added.codes, done=done, flow_id=flow_id)
        response = make_response(page)
    else:
        toast(_("The passkey is added."))
        onward = url_for("authorize.resume", flow=flow_id) if flow_id else None
        response = make_response(redirect(onward or url_for("account.passkeys"), 303))
    added.cookies.give(response)
    return response


@blueprint.get("/account/passkeys/<uuid:passkey_id>")
@signed_in
def passkey(me: SignedIn, passkey_id: UUID) -> ResponseReturnValue:
    """Ask for another name."""
    found = own_passkeys.one_of(me, passkey_id)
    return render_template("account/passkey.html", form=PasskeyNameForm(obj=found), passkey=found)


@blueprint.post("/account/passkeys/<uuid:passkey_id>")
@signed_in
def rename_passkey(me: SignedIn, passkey_id: UUID) -> ResponseReturnValue:
    """Keep another name."""
    now = clock.now()
    form = PasskeyNameForm()
    if not form.validate():
        found = own_passkeys.one_of(me, passkey_id)
        page = render_template("account/passkey.html", form=form, passkey=found)
        return make_response(page, 422)
    name = _one_line(form.name.data or "")
    own_passkeys.rename(me, passkey_id, name, browser=this_browser(now), now=now)
    toast(_("The new name is saved."))
    return redirect(url_for("account.passkeys"), 303)


@blueprint.post("/account/passkeys/<uuid:passkey_id>/remove")
@recently_signed_in
def remove_passkey(me: SignedIn, passkey_id: UUID) -> ResponseReturnValue:
    """Take one away."""
    now = clock.now()
    try:
        own_passkeys.remove(me, passkey_id, browser=this_browser(now), now=now)
    except LastWayIn:
        toast(
            _("This is your only way to sign in. Set a password or add another passkey first."),
            kind="warning",
        )
        return redirect(url_for("account.passkeys"), 303)
    toast(_("The passkey is removed. Delete it on your device, too."))
    return redirect(url_for("account.passkeys"), 303)


def _new_page(form: NewPasskeyForm, error: str = "") -> str:
    return render_template(
        "account/new_passkey.html", form=form, error=error, flow_id=request.args.get("flow")
    )


def _why(refused: PasskeyRefused) -> object:
    match refused:
        case AlreadyKnown():
            return _("This device or key is in your list already.")
        case TooMany():
            return _("You have as many passkeys as one may have. Remove one first.")
        case _:
            return _("This did not work, or took too long. Try again.")


def _one_line(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME]
