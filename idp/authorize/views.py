"""The authorization endpoint."""

from datetime import datetime

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from idp.authorize import response, service
from idp.authorize.request import AuthorizationRequest, CannotAnswer, Refusal, read
from idp.flows import service as flows
from idp.flows.service import FlowExpired
from idp.protocol.parameters import Parameters
from idp.redirects import as_a_query
from idp.sessions import service as sessions
from idp.settings import current_settings
from kernel import clock
from kernel.crypto import hash_token
from kernel.database import Reads
from kernel.i18n import _, ask_for_language
from kernel.observability.logs import get_logger
from kernel.web import browser_id, csrf_exempt, error_page, known_browser_id, public
from tenants.database import db

log = get_logger(__name__)

blueprint = Blueprint("authorize", __name__)


@blueprint.get("/authorize")
@public
def start() -> ResponseReturnValue:
    """Answer an authorization request, or carry on a flow that comes back from one of its pages."""
    if "flow" in request.args and "client_id" not in request.args:
        return resume()
    now = clock.now()
    try:
        with db.glancing() as glance:
            asked = read(
                glance,
                Parameters(request.args.items(multi=True)),
                issuer=current_settings().issuer,
                now=now,
            )
            plan = _plan_new(glance, asked, now)
        return _answer_new(asked, plan, now, after_pages=False)
    except CannotAnswer as wrong:
        return _page_for(wrong)
    except Refusal as refusal:
        return _refuse(refusal, after_pages=False)


@blueprint.post("/authorize")
@public
@csrf_exempt
def start_by_post() -> ResponseReturnValue:
    """The same with a form (OpenID Connect Core §3.1.2.1).

    Another site's form comes without our cookies, so the browser is sent round once more.
    """
    return as_a_query("/authorize", request.form.items(multi=True))


@public
def resume() -> ResponseReturnValue:
    """Look at what is true now and go on: to the next page, or to the application."""
    now = clock.now()
    try:
        with db.glancing() as glance:
            signed_in = sessions.current_at(glance, now)
            flow = flows.load(
                glance, request.args.get("flow"), hash_token(known_browser_id() or ""), now
            )
            plan = service.plan_next(glance, flow, signed_in=signed_in, now=now)
        sessions.note_use(now)
        return _render(service.carry_out(plan, now=now), after_pages=True)
    except FlowExpired as expired:
        return _begin_again(expired, now)
    except CannotAnswer as wrong:
        return _page_for(wrong)
    except Refusal as refusal:
        return _refuse(refusal, after_pages=True)


# The same address as `start`, which hands over; the name is what other features build links with.
blueprint.add_url_rule("/authorize", endpoint="resume", view_func=resume, methods=["GET"])


def _plan_new(at: Reads, asked: AuthorizationRequest, now: datetime) -> service.Plan:
    signed_in = sessions.current_at(at, now)
    return service.plan_new(at, asked, signed_in=signed_in, browser_hash=_browser_hash, now=now)


def _browser_hash() -> bytes:
    return hash_token(browser_id())


def _answer_new(
    asked: AuthorizationRequest, plan: service.Plan, now: datetime, *, after_pages: bool
) -> ResponseReturnValue:
    sessions.note_use(now)
    outcome = service.carry_out(plan, now=now)
    if isinstance(outcome, service.Page):
        ask_for_language(asked.ui_locales)
    return _render(outcome, after_pages=after_pages)


def _begin_again(expired: FlowExpired, now: datetime) -> ResponseReturnValue:
    """Go on where it stopped: the same browser's own request, as it was.

    Where nothing is known of it, the page that `sign_in` has for that is the answer.
    """
    if expired.request is not None:
        asked = AuthorizationRequest.from_json(expired.request)
        try:
            with db.glancing() as glance:
                plan = _plan_new(glance, asked, now)
            return _answer_new(asked, plan, now, after_pages=True)
        except CannotAnswer as wrong:
            return _page_for(wrong)
        except Refusal as refusal:
            return _refuse(refusal, after_pages=True)
    if expired.return_to is not None:
        return redirect(expired.return_to, 303)
    raise expired


def _render(outcome: service.Outcome, *, after_pages: bool) -> ResponseReturnValue:
    match outcome:
        case service.Page(url):
            return redirect(url, 303)
        case service.Code(to, code):
            issuer = current_settings().issuer
            return response.with_code(to, code, issuer=issuer, after_pages=after_pages)


def _refuse(refusal: Refusal, *, after_pages: bool) -> Response:
    log.info(
        "authorization_refused",
        client_id=refusal.to.client_id,
        error=refusal.error.error,
        detail=refusal.error.detail,
    )
    issuer = current_settings().issuer
    return response.with_error(refusal.to, refusal.error, issuer=issuer, after_pages=after_pages)


def _page_for(wrong: CannotAnswer) -> Response:
    log.info("authorization_unanswerable", parameter=wrong.parameter, detail=wrong.detail)
    if wrong.parameter == "redirect_uri":
        reason = _(
            "The application named an address to return to (redirect_uri) that it has not registered."
        )
    else:
        reason = _(
            "The application that sent you here (client_id) is not known, or is switched off."
        )
    return error_page(
        400,
        title=_("The application's request can't be followed"),
        reason=reason,
        way_out=_("Tell the people who run the application; nothing can be done about it here."),
        code=f"invalid_{wrong.parameter}",
    )
