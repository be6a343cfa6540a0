"""From a checked request to its answer, or to the page that is missing on the way there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for
from sqlalchemy.orm import Session

from consent.oauth import service as consents
from idp import sign_in
from idp.authorize import dispatch
from idp.authorize.dispatch import Presence, Step
from idp.authorize.request import AuthorizationRequest, CannotAnswer, Refusal, ReturnAddress
from idp.authorize.response import issue_code
from idp.clients import redirect_uris
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.flows import service as flows
from idp.flows.service import Flow, FlowExpired
from idp.protocol import acr, prompts
from idp.protocol.errors import AccessDenied, LoginRequired, OAuthError
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from tenants.database import db

# What a flow notes beside the request itself.
CONSENT_ANSWER = "consent_answer"
ALLOWED = "allowed"
REFUSED = "refused"


@dataclass(frozen=True)
class Page:
    """A page of ours comes first."""

    url: str


@dataclass(frozen=True)
class Code:
    """The application gets what it asked for."""

    to: ReturnAddress
    code: str


Outcome = Page | Code


def answer_new(
    request: AuthorizationRequest, *, signed_in: SignedIn | None, browser_hash: bytes, now: datetime
) -> Outcome:
    """Answer at once where nothing is missing, else begin a flow; raises Refusal."""
    with db.reading() as session:
        client = _client(session, request)
        step = _missing(session, request, client, signed_in, flow=None, now=now)
    if step is None and signed_in is not None:
        with db.transaction() as session:
            return Code(request.to, _issue(session, request, signed_in, now))
    if step is not None and prompts.NONE in request.prompts:
        raise Refusal(request.to, dispatch.why_not_silently(step))
    with db.transaction() as session:
        flow = flows.start(session, browser_hash=browser_hash, request=request.as_json(), now=now)
        return _page(session, flow, request.wanted, signed_in, now)


def go_on(flow: Flow, *, signed_in: SignedIn | None, now: datetime) -> Outcome:
    """Carry a flow on: to the next page, or to its end; raises Refusal and FlowExpired."""
    signed_in = sign_in.session_for(flow, signed_in)
    if flow.request is None:
        return _go_on_to_own_page(flow, signed_in, now)
    request = AuthorizationRequest.from_json(flow.request)
    refused = _why_refuse(flow, request, signed_in)
    if refused is not None:
        with db.transaction() as session:
            _client(session, request)
            _finish(session, flow, now)
        raise Refusal(request.to, refused)
    with db.transaction() as session:
        client = _client(session, request)
        step = _missing(session, request, client, signed_in, flow=flow, now=now)
        if step is None and signed_in is not None:
            _finish(session, flow, now)
            return Code(request.to, _issue(session, request, signed_in, now))
        if step is Step.CONSENT:
            return Page(url_for("oauth_consent.ask", flow=flow.id))
        return _page(session, flow, request.wanted, signed_in, now)


def _why_refuse(
    flow: Flow, request: AuthorizationRequest, signed_in: SignedIn | None
) -> OAuthError | None:
    """What ends a flow without a code: the person said no, or is not the one who was asked for."""
    if (flow.request or {}).get(CONSENT_ANSWER) == REFUSED:
        return AccessDenied("the person refused")
    if signed_in is None or signed_in.auth_time < flow.created_at:
        return None
    # Asked once and answered by somebody else (OpenID Connect Core §3.1.2.1): asking on would never
    # end, for the person may have no other ID.
    if not request.wanted.is_by(signed_in.person_id):
        return LoginRequired("somebody else signed in than id_token_hint names")
    return None


def _go_on_to_own_page(flow: Flow, signed_in: SignedIn | None, now: datetime) -> Outcome:
    with db.transaction() as session:
        missing = sign_in.next_step(session, flow, signed_in, acr.Wanted(), now)
        if missing is not None:
            return Page(missing)
        _finish(session, flow, now)
    return Page(flow.return_to or "/")


def _page(
    session: Session, flow: Flow, wanted: acr.Wanted, signed_in: SignedIn | None, now: datetime
) -> Page:
    missing = sign_in.next_step(session, flow, signed_in, wanted, now)
    # Where signing in needs nothing more, consent is what is missing.
    return Page(missing or url_for("oauth_consent.ask", flow=flow.id))


def _finish(session: Session, flow: Flow, now: datetime) -> None:
    # One flow gives one answer, however often a page is sent.
    if not flows.finish(session, flow.id, now=now):
        raise FlowExpired("answered already")


def _client(session: Session, request: AuthorizationRequest) -> RegisteredClient:
    client = clients.find(session, request.client_id)
    if client is None:
        raise CannotAnswer("client_id", "is switched off")
    # A flow may be older than a change of what is registered.
    if not redirect_uris.is_registered(
        request.redirect_uri, client.redirect_uris, native=client.is_native
    ):
        raise CannotAnswer("redirect_uri", "is registered no more")
    return client


def _missing(
    session: Session,
    request: AuthorizationRequest,
    client: RegisteredClient,
    signed_in: SignedIn | None,
    *,
    flow: Flow | None,
    now: datetime,
) -> Step | None:
    presence = (
        Presence(signed_in.person_id, signed_in.auth_time, signed_in.acr)
        if signed_in is not None
        else None
    )
    return dispatch.what_is_missing(
        request.wanted,
        presence=presence,
        flow_began_at=flow.created_at if flow is not None else None,
        password_first=flow is not None and flow.password_first,
        consent_is_needed=signed_in is not None
        and consent_is_needed(session, request, client, signed_in, flow),
        now=now,
    )


def consent_is_needed(
    session: Session,
    request: AuthorizationRequest,
    client: RegisteredClient,
    signed_in: SignedIn,
    flow: Flow | None,
) -> bool:
    """Whether this person has to be asked. Our own programs never ask (decided: 7)."""
    if client.first_party:
        return False
    answered = flow is not None and (flow.request or {}).get(CONSENT_ANSWER) == ALLOWED
    if dispatch.asks_again(request.prompts, answered=answered):
        return True
    return consents.is_needed(
        session, person_id=signed_in.person_id, client_id=client.id, scopes=request.scopes
    )


def _issue(
    session: Session, request: AuthorizationRequest, signed_in: SignedIn, now: datetime
) -> str:
    life = timedelta(seconds=current_settings().code_seconds)
    return issue_code(session, request, signed_in, life=life, now=now)
