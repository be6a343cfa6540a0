"""Pages for signing out at an application's request."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.events import IdpEvent
from idp.logout.request import CannotFollow, LogoutRequest, read
from idp.logout.service import end_sessions
from idp.protocol.parameters import Parameters
from idp.redirects import add_to_query, as_a_query
from idp.sessions import applications
from idp.sessions import service as sessions
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from kernel import clock
from kernel.i18n import _
from kernel.observability.logs import get_logger
from kernel.web import csrf_exempt, error_page, forget_browser, forward, public, request_facts
from tenants.audit import ledger, person_chain
from tenants.database import db

log = get_logger(__name__)

blueprint = Blueprint("logout", __name__)

_CARRIED = ("id_token_hint", "post_logout_redirect_uri", "state", "client_id")


@blueprint.get("/end-session")
@public
def start() -> ResponseReturnValue:
    """Sign out: at once when the application proves that it means this session, else after asking."""
    now = clock.now()
    signed_in = sessions.current(now)
    parameters = Parameters(request.args.items(multi=True))
    try:
        with db.reading() as session:
            asked = read(session, parameters, issuer=current_settings().issuer, now=now)
            is_meant = signed_in is not None and _means_this_session(session, asked, signed_in)
    except CannotFollow as wrong:
        return _page_for(wrong)
    if signed_in is not None and not is_meant:
        carried = {name: parameters[name] for name in _CARRIED if name in parameters}
        return render_template("logout/ask.html", carried=carried, email=signed_in.email)
    if signed_in is not None:
        _end(signed_in)
    return _afterwards(asked)


@blueprint.post("/end-session")
@public
@csrf_exempt
def start_by_post() -> ResponseReturnValue:
    """The same with a form. Another site's form comes without our cookies: round once more."""
    return as_a_query("/end-session", request.form.items(multi=True))


@blueprint.post("/end-session/confirm")
@public
def confirm() -> ResponseReturnValue:
    """The person's answer to the question."""
    now = clock.now()
    if request.form.get("answer") != "sign-out":
        return redirect("/", 303)
    parameters = Parameters(
        (name, value) for name, value in request.form.items(multi=True) if name in _CARRIED
    )
    try:
        with db.reading() as session:
            asked = read(session, parameters, issuer=current_settings().issuer, now=now)
    except CannotFollow as wrong:
        return _page_for(wrong)
    signed_in = sessions.current(now)
    if signed_in is not None:
        _end(signed_in)
    return _afterwards(asked)


@blueprint.get("/signed-out")
@public
def done() -> ResponseReturnValue:
    """Where one ends up when no application waits."""
    return sessions.end_in_browser(make_response(render_template("logout/done.html")))


def _means_this_session(session: object, asked: LogoutRequest, signed_in: SignedIn) -> bool:
    hint = asked.hint
    if hint is None or hint.sid is None or hint.person_id != signed_in.person_id:
        return False
    entered = applications.entered_in(session, [signed_in.session_id])  # type: ignore[arg-type]
    return any(each.sid == hint.sid and each.client_id == hint.client_id for each in entered)


def _end(signed_in: SignedIn) -> None:
    now = clock.now()
    facts = request_facts()
    # What was begun in this browser by whoever leaves is of no use to whoever comes next.
    forget_browser()
    with db.transaction() as session:
        ended = end_sessions(
            session, session_ids=[signed_in.session_id], reason="signed out", now=now
        )
        if ended:
            ledger.append(
                session,
                chain=person_chain(signed_in.person_id),
                event=IdpEvent.SESSIONS_ENDED,
                actor=str(signed_in.person_id),
                subject=str(signed_in.person_id),
                result="success",
                at=now,
                details={"reason": "signed out", "sessions": [str(each) for each in ended]},
                personal={"address": facts.address, "user_agent": facts.user_agent},
                request_id=facts.request_id,
            )


def _afterwards(asked: LogoutRequest) -> Response:
    if asked.redirect_uri is None:
        response = make_response(redirect(url_for("logout.done"), 303))
    else:
        fields = [("state", asked.state)] if asked.state is not None else []
        url = add_to_query(asked.redirect_uri, fields) if fields else asked.redirect_uri
        response = forward(url)
    return sessions.end_in_browser(response)


def _page_for(wrong: CannotFollow) -> Response:
    log.info("logout_refused", parameter=wrong.parameter, detail=wrong.detail)
    reasons = {
        "id_token_hint": _(
            "The application sent a proof of the sign-in (id_token_hint) that is not ours."
        ),
        "post_logout_redirect_uri": _(
            "The application named an address to return to (post_logout_redirect_uri) that it has"
            " not registered."
        ),
        "client_id": _(
            "The application named itself (client_id) otherwise than its proof of the sign-in."
        ),
    }
    return error_page(
        400,
        title=_("The application's request can't be followed"),
        reason=reasons.get(wrong.parameter, _("The request to sign out is malformed.")),
        way_out=_("You are still signed in. You can sign out here."),
        link=url_for("logout.start"),
        link_text=_("Sign out"),
        code=f"invalid_{wrong.parameter}",
    )
