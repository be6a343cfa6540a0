"""From a checked request to its answer, or to the page that is missing on the way there.

What comes next is planned by reading alone (`plan_new`, `plan_next`), in the reading session in
which the rest of the request is looked up; `carry_out` then writes, where there is something to
write. What is written holds only if it is still true: a flow ends once, and a code is redeemed only
while session, person and consent stand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from consent.oauth import service as consents
from idp import sign_in
from idp.authorize import dispatch
from idp.authorize.dispatch import Presence, Step
from idp.authorize.request import AuthorizationRequest, CannotAnswer, Refusal, ReturnAddress
from idp.authorize.response import issue_code
from idp.clients import redirect_uris
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.contexts import service as contexts
from idp.contexts.choice import CONTEXT_ANSWER, NOWHERE, Asked, Resolved, asked_in
from idp.flows import service as flows
from idp.flows.service import AnyFlow, FlowExpired, FlowState
from idp.protocol import acr, prompts
from idp.protocol.errors import AccessDenied, LoginRequired, OAuthError
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from kernel.database import Reads
from tenants.database import db

# What a flow notes beside the request itself.
CONSENT_ANSWER = "consent_answer"
CONSENT_ACCOUNT = "consent_account"
"""For which account the answer was given: another may be chosen afterwards."""
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


@dataclass(frozen=True)
class Begin:
    """Something is missing: a flow leads there."""

    flow: FlowState
    page: Page


@dataclass(frozen=True)
class Finish:
    """Nothing is missing any more, or nothing will come of it: the flow, if there is one, ends."""

    flow: AnyFlow | None
    request: AuthorizationRequest | None = None
    """What is answered with a code or a refusal; None where a page of ours was the goal."""
    signed_in: SignedIn | None = None
    refused: OAuthError | None = None
    context: Resolved = NOWHERE


Plan = Page | Begin | Finish


def plan_new(
    at: Reads,
    request: AuthorizationRequest,
    *,
    signed_in: SignedIn | None,
    browser_hash: Callable[[], bytes],
    now: datetime,
) -> Plan:
    """What comes of a new request; raises CannotAnswer, Refusal. Only a page needs the browser."""
    look = _look(at, request, _client(at, request), signed_in, flow=None, now=now)
    if look.refused is not None:
        raise Refusal(request.to, look.refused)
    if look.step is None:
        return Finish(None, request, signed_in, context=look.context)
    if prompts.NONE in request.prompts:
        raise Refusal(request.to, dispatch.why_not_silently(look.step))
    flow = flows.draft(browser_hash=browser_hash(), request=request.as_json(), now=now)
    return Begin(flow, _page(at, flow, look, signed_in, now))


def plan_at_once(
    at: Reads, request: AuthorizationRequest, *, signed_in: SignedIn | None, now: datetime
) -> Finish | None:
    """The same where a new request waits for nothing; else None. Raises CannotAnswer."""
    look = _look(at, request, _client(at, request), signed_in, flow=None, now=now)
    if look.refused is not None or look.step is not None:
        return None
    return Finish(None, request, signed_in, context=look.context)


def plan_next(at: Reads, flow: AnyFlow, *, signed_in: SignedIn | None, now: datetime) -> Plan:
    """What comes next in a flow; raises CannotAnswer."""
    signed_in = sign_in.session_for(flow, signed_in)
    if flow.request is None:
        missing = sign_in.next_step(at, flow, signed_in, acr.Wanted(), now)
        return Page(missing) if missing is not None else Finish(flow)
    request = AuthorizationRequest.from_json(flow.request)
    client = _client(at, request)
    refused = _why_refuse(flow, request, signed_in)
    if refused is not None:
        return Finish(flow, request, refused=refused)
    look = _look(at, request, client, signed_in, flow=flow, now=now)
    if look.refused is not None:
        return Finish(flow, request, refused=look.refused)
    if look.step is None:
        return Finish(flow, request, signed_in, context=look.context)
    return _page(at, flow, look, signed_in, now)


def carry_out(plan: Plan, *, now: datetime) -> Outcome:
    """Write down what was planned, in one transaction; raises Refusal and FlowExpired."""
    if isinstance(plan, Page):
        return plan
    if isinstance(plan, Begin):
        with db.hot_transaction() as at:
            flows.store(at, plan.flow)
        return plan.page
    code = None
    with db.hot_transaction() as at:
        # One flow gives one answer, however often a page is sent.
        if plan.flow is not None and not flows.finish(at, plan.flow.id, now=now):
            raise FlowExpired("answered already")
        if plan.request is not None and plan.signed_in is not None and plan.refused is None:
            code = _issue(at, plan.request, plan.signed_in, plan.context, now)
    if plan.request is None:
        return Page((plan.flow.return_to if plan.flow is not None else None) or "/")
    if code is None:
        raise Refusal(plan.request.to, plan.refused or LoginRequired("nobody is signed in"))
    return Code(plan.request.to, code)


def _why_refuse(
    flow: AnyFlow, request: AuthorizationRequest, signed_in: SignedIn | None
) -> OAuthError | None:
    """What ends a flow without a code: the person said no, or is not the one who was asked for."""
    answers = flow.request or {}
    if REFUSED in (answers.get(CONSENT_ANSWER), answers.get(CONTEXT_ANSWER)):
        return AccessDenied("the person refused")
    if signed_in is None or signed_in.auth_time < flow.created_at:
        return None
    # Asked once and answered by somebody else (OpenID Connect Core §3.1.2.1): asking on would never
    # end, for the person may have no other ID.
    if not request.wanted.is_by(signed_in.person_id):
        return LoginRequired("somebody else signed in than id_token_hint names")
    return None


def _page(
    at: Reads, flow: AnyFlow, look: "_Look", signed_in: SignedIn | None, now: datetime
) -> Page:
    if look.step is Step.CONTEXT:
        return Page(url_for("contexts.choose", flow=flow.id))
    if look.step is Step.CONSENT:
        return Page(url_for("oauth_consent.ask", flow=flow.id))
    missing = sign_in.next_step(at, flow, signed_in, look.wanted, now)
    # The rules of signing in are asked in both places; where they need nothing, nor does this.
    return Page(missing or url_for("authorize.resume", flow=flow.id))


def _client(at: Reads, request: AuthorizationRequest) -> RegisteredClient:
    client = clients.find(at, request.client_id)
    if client is None:
        raise CannotAnswer("client_id", "is switched off")
    # A flow may be older than a change of what is registered.
    if not redirect_uris.is_registered(
        request.redirect_uri, client.redirect_uris, native=client.is_native
    ):
        raise CannotAnswer("redirect_uri", "is registered no more")
    return client


@dataclass(frozen=True)
class _Look:
    """What is true of a request now."""

    step: Step | None
    """What is missing; None: nothing."""
    wanted: acr.Wanted
    """What the sign-in has to be like, in the context that it is for."""
    context: Resolved = NOWHERE
    refused: OAuthError | None = None


def _look(
    at: Reads,
    request: AuthorizationRequest,
    client: RegisteredClient,
    signed_in: SignedIn | None,
    *,
    flow: AnyFlow | None,
    now: datetime,
) -> _Look:
    if signed_in is None:
        return _Look(Step.SIGN_IN, request.wanted)

    def missing(wanted: acr.Wanted, **facts: bool) -> Step | None:
        return dispatch.what_is_missing(
            wanted,
            presence=Presence(signed_in.person_id, signed_in.auth_time, signed_in.acr),
            flow_began_at=flow.created_at if flow is not None else None,
            password_first=flow is not None and flow.password_first,
            now=now,
            **facts,
        )

    asked = _context_asked(request, flow)
    if not asked.is_needed_for(client.context):
        is_needed = consent_is_needed(at, request, client, signed_in, flow, account=None)
        return _Look(missing(request.wanted, consent_is_needed=is_needed), request.wanted)
    step = missing(request.wanted, consent_is_needed=False)
    if step is not None:
        # Which accounts somebody has is asked of nobody who may be somebody else.
        return _Look(step, request.wanted)
    context = contexts.resolve(at, client, asked, person_id=signed_in.person_id, now=now)
    wanted = context.strengthened(request.wanted)
    if context.why_refused is not None:
        # Nobody learns from the answer what there is.
        refused = AccessDenied(
            "the context is not there for this person", detail=context.why_refused
        )
        return _Look(None, wanted, refused=refused)
    # Asked last, and for one account.
    is_needed = not context.has_to_be_chosen and consent_is_needed(
        at, request, client, signed_in, flow, account=context.account
    )
    step = missing(wanted, context_is_open=context.has_to_be_chosen, consent_is_needed=is_needed)
    return _Look(step, wanted, context)


def _context_asked(request: AuthorizationRequest, flow: AnyFlow | None) -> Asked:
    if flow is not None and flow.request is not None:
        return asked_in(flow.request)
    silently = prompts.NONE in request.prompts
    return Asked(request.account, request.company, silently=silently)


def consent_is_needed(
    at: Reads,
    request: AuthorizationRequest,
    client: RegisteredClient,
    signed_in: SignedIn,
    flow: AnyFlow | None,
    *,
    account: str | None,
) -> bool:
    """Whether this person has to be asked, in this account or in none. Our own programs never ask."""
    if client.first_party:
        return False
    answers = (flow.request or {}) if flow is not None else {}
    answered = (answers.get(CONSENT_ANSWER), answers.get(CONSENT_ACCOUNT)) == (ALLOWED, account)
    if dispatch.asks_again(request.prompts, answered=answered):
        return True
    return consents.is_needed(
        at,
        person_id=signed_in.person_id,
        client_id=client.id,
        account=account,
        scopes=request.scopes,
    )


def _issue(
    at: Reads,
    request: AuthorizationRequest,
    signed_in: SignedIn,
    context: Resolved,
    now: datetime,
) -> str:
    life = timedelta(seconds=current_settings().code_seconds)
    return issue_code(
        at,
        request,
        signed_in,
        life=life,
        now=now,
        account=context.account,
        company=context.company,
    )
