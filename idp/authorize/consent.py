"""The question that an authorization request puts to the person, for `consent.oauth` to ask."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import abort, redirect, url_for
from sqlalchemy.orm import Session

from consent.oauth.question import Question
from idp.authorize.request import AuthorizationRequest
from idp.authorize.service import ALLOWED, CONSENT_ACCOUNT, CONSENT_ANSWER, REFUSED
from idp.clients import service as clients
from idp.contexts import service as contexts
from idp.contexts.choice import NOWHERE, asked_in
from idp.flows import service as flows
from idp.flows.service import FlowExpired
from idp.sessions import service as sessions
from kernel.crypto import hash_token
from kernel.errors import NotFound
from kernel.web import known_browser_id
from tenants.database import db


class AuthorizationQuestions:
    """Finds the question of a flow, and notes its answer in the flow."""

    def question(self, reference: str | None, *, now: datetime) -> Question:
        """The question of this flow. Where there is none, the dispatcher knows how to go on."""
        signed_in = sessions.current(now)
        try:
            with db.glancing() as glance:
                flow = flows.load(glance, reference, _browser_hash(), now)
                if flow.request is None or signed_in is None:
                    raise FlowExpired("nothing to ask")
                request = AuthorizationRequest.from_json(flow.request)
                client = clients.find(glance, request.client_id)
                asked, person_id = asked_in(flow.request), signed_in.person_id
                context = (
                    contexts.resolve(glance, client, asked, person_id=person_id, now=now)
                    if client is not None
                    else NOWHERE
                )
                if context.has_to_be_chosen or context.why_refused is not None:
                    raise FlowExpired("nobody asks before it is known for which account")
        except FlowExpired:
            abort(redirect(url_for("authorize.resume", flow=reference or ""), 303))
        if client is None:
            raise NotFound("the application is switched off")
        return Question(
            reference=str(flow.id),
            person_id=signed_in.person_id,
            email=signed_in.email,
            client_id=client.id,
            client_name=client.name,
            owner=client.owner,
            host=urlsplit(request.redirect_uri).hostname or request.redirect_uri,
            scopes=request.scopes,
            account=context.account,
            account_name=context.standing.account_name if context.standing else None,
            company_name=context.company_name,
            goes_on_at=url_for("authorize.resume", flow=flow.id),
        )

    def answered(
        self, session: Session, question: Question, *, allowed: bool, now: datetime
    ) -> None:
        """Let the dispatcher find the answer when the browser comes back to it."""
        flow = flows.lock(session, UUID(question.reference), _browser_hash(), now)
        flow.request = {
            **(flow.request or {}),
            CONSENT_ANSWER: ALLOWED if allowed else REFUSED,
            CONSENT_ACCOUNT: question.account,
        }


def _browser_hash() -> bytes:
    return hash_token(known_browser_id() or "")
