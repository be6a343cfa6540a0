"""What the pages of signing in share: how each is shown, and how each goes on."""

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials.ceremonies import LONGEST_ANSWER
from idp.flows import service as flows
from idp.flows.service import FlowExpired, FlowState
from idp.sessions.browser import Browser, this_browser
from idp.settings import current_settings
from idp.sign_in import code as second_factor
from idp.sign_in.completion import Cookies
from idp.sign_in.destination import destination_of
from idp.sign_in.forms import PasskeyForm
from idp.sign_in.outcomes import Throttled
from idp.sign_in.waiting import minutes_of
from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import _, ngettext
from kernel.web import browser_id, error_page, fill_in, toast
from kernel.web.printed import Values, Words
from tenants.database import db

blueprint = Blueprint("sign_in", __name__)


@blueprint.app_errorhandler(FlowExpired)
def go_on_where_it_stopped(expired: FlowExpired) -> ResponseReturnValue:
    """The page was open too long: begin again towards the same goal, with the address kept."""
    now = clock.now()
    if expired.request is None and expired.return_to is None:
        return error_page(
            400,
            title=_("This sign-in is over"),
            reason=_(
                "The page was open too long, or was opened in another browser, or the browser keeps"
                " no cookies."
            ),
            way_out=_("Sign in again, here or from the application where you began."),
            link=url_for("sign_in.address"),
            link_text=_("Sign in"),
            code="flow_expired",
        )
    with db.transaction() as session:
        flow = flows.start(
            session,
            browser_hash=hash_token(browser_id()),
            request=expired.request,
            return_to=expired.return_to,
            email=expired.email,
            now=now,
        )
    if request.method == "POST":
        toast(_("The page was open too long. Go on from here."), kind="warning")
    return redirect(url_for("authorize.resume", flow=flow.id), 303)


def show(template: str, flow: FlowState, **words: object) -> str:
    """A page of these, with what all of them say."""
    return render_template(
        template,
        flow=flow,
        destination=destination_of(flow),
        registration_open=current_settings().registration_open,
        **words,
    )


def show_printed(template: str, flow: FlowState, words: Words, **values: str) -> str:
    """The same for a page that asks for the first time: nothing in it but these values differs."""
    destination = destination_of(flow)
    registration_open = current_settings().registration_open
    if destination is not None:
        values["destination"] = destination

    def all_words(values: Values) -> dict[str, object]:
        return {
            "flow": {"id": values["flow"]},
            "destination": values.get("destination"),
            "registration_open": registration_open,
            **words(values),
        }

    return fill_in(
        template,
        {"flow": str(flow.id), **values},
        all_words,
        kind="registration" if registration_open else "",
    )


def go_on(flow_id: str | None, cookies: Cookies | None) -> Response:
    """Back to the dispatcher, signed in where there are cookies."""
    response = make_response(redirect(url_for("authorize.resume", flow=flow_id), 303))
    if cookies is not None:
        cookies.give(response)
    return response


def start_over(flow_id: str | None, now: datetime) -> Response:
    """To the first page that is missing: what was proved counts no more."""
    second_factor.start_over(flow_id, browser=this_browser(now), now=now)
    return go_on(flow_id, None)


def wait_a_little(throttled: Throttled) -> str:
    """How long no passkey is accepted; another way is open."""
    return str(
        ngettext(
            "Too many tries with a passkey. Try again in %(num)d minute, or another way.",
            "Too many tries with a passkey. Try again in %(num)d minutes, or another way.",
            minutes_of(throttled),
        )
    )


def passkey_refused() -> str:
    """One sentence for whatever was wrong with a passkey."""
    return str(_("This passkey can't be used here, or it took too long. Try again or another way."))


def credential_of(form: PasskeyForm) -> str:
    """What the browser says of a passkey."""
    # Longer is refused by its length, wherever it is cut.
    return (form.credential.data or "")[: LONGEST_ANSWER + 1]


def named_flow(now: datetime) -> FlowState | None:
    """The flow that the address names, or None when it names none."""
    flow_id = request.args.get("flow")
    return load(flow_id, now) if flow_id else None


def load(flow_id: str | None, now: datetime) -> FlowState:
    """The flow, if it is alive and this browser's."""
    with db.glancing() as glance:
        return flows.load(glance, flow_id, hash_token(browser_id()), now)


def begin(browser: Browser, now: datetime) -> str:
    """A flow towards the person's own pages."""
    with db.transaction() as session:
        flow = flows.start(
            session,
            browser_hash=browser.id_hash,
            return_to=url_for("account.profile"),
            now=now,
        )
    return str(flow.id)
