"""The page on which a person chooses the account, and its company, in which they use an application."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.contexts import choice, service
from idp.contexts.choice import Asked, asked_in, is_account, is_company
from idp.flows import service as flows
from idp.flows.service import FlowState
from idp.sessions import service as sessions
from idp.sessions.service import SignedIn
from idp.settings import current_settings
from kernel import clock
from kernel.crypto import hash_token
from kernel.errors import NotFound
from kernel.web import known_browser_id, requires
from tenants.database import db
from tenants.standing.service import Standing

_MOST = 50
_MANY = 10
"""More lines than that come with a field to search them."""
_LONGEST_SEARCH = 100

blueprint = Blueprint("contexts", __name__)


@dataclass(frozen=True)
class Option:
    """A line of the page."""

    id: str
    name: str
    is_last: bool = False
    """Where the person was the last time."""


@dataclass(frozen=True)
class Question:
    """What is chosen, by whom, for which application."""

    flow: FlowState
    asked: Asked
    client: RegisteredClient
    signed_in: SignedIn


@blueprint.get("/context")
@requires("flow")
def choose() -> ResponseReturnValue:
    """Ask for the account; where that is known, for the company."""
    now = clock.now()
    question = _question(now)
    standing = _account_of(question, now)
    search = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    waiting: list[Option] = []
    if standing is None:
        options, waiting = _accounts(question, search)
        template = "contexts/account.html"
    else:
        options = _companies(standing, search)
        template = "contexts/company.html"
    return render_template(
        template,
        flow=question.flow,
        destination=question.client.name,
        email=question.signed_in.email,
        person=question.signed_in.person_id,
        account=standing,
        account_is_open=question.asked.account is None,
        options=options[:_MOST],
        waiting=waiting,
        there_are_more=len(options) > _MOST,
        can_search=bool(search) or len(options) > _MANY,
        search=search,
        portal_url=f"{current_settings().portal_url}/contexts",
    )


@blueprint.post("/context")
@requires("flow")
def take() -> ResponseReturnValue:
    """Note what was chosen; whether it can be had is the dispatcher's to see."""
    now = clock.now()
    question = _question(now)
    # Somebody else may have signed in in this browser since the page was shown.
    if request.form.get("person") == str(question.signed_in.person_id):
        _answer_waiting(question, now)
        answer: dict[str, str | None] | str = choice.REFUSED
        if request.form.get("answer") != choice.REFUSED:
            answer = _chosen(question.asked)
        with db.transaction() as session:
            service.note(session, str(question.flow.id), _browser_hash(), answer, now=now)
    return redirect(url_for("authorize.resume", flow=question.flow.id), 303)


def _answer_waiting(question: Question, now: datetime) -> None:
    """Take or decline a place; only one that waits, so that nobody leaves where they are at work."""
    person_id = question.signed_in.person_id
    for word, accepts in (("accept", True), ("decline", False)):
        account = request.form.get(word)
        waiting = service.possible_accounts(question.client, person_id).waiting if account else ()
        if any(place.account == account for place in waiting):
            service.take_place(str(account), person_id=person_id, accepts=accepts, now=now)


def _chosen(asked: Asked) -> dict[str, str | None]:
    """A company belongs to the account that was chosen before it; another account to no company."""
    if "decline" in request.form:
        return {"account": None, "company": None}
    if "account" in request.form or "accept" in request.form:
        account = request.form.get("account") or request.form.get("accept") or ""
        return {"account": account if is_account(account) else None, "company": None}
    company = request.form.get("company", "")
    return {"account": asked.chosen_account, "company": company if is_company(company) else None}


def _question(now: datetime) -> Question:
    """What is open in this flow. Where nothing is, the dispatcher knows how to go on."""
    flow_id = request.args.get("flow")
    with db.glancing() as glance:
        flow = flows.load(glance, flow_id, _browser_hash(), now)
        signed_in = sessions.current_at(glance, now)
        if flow.request is None or signed_in is None:
            abort(redirect(url_for("authorize.resume", flow=flow.id), 303))
        client = clients.find(glance, flow.request["client_id"])
    if client is None:
        raise NotFound("the application is switched off")
    asked = asked_in(flow.request)
    if not asked.is_needed_for(client.context):
        abort(redirect(url_for("authorize.resume", flow=flow.id), 303))
    return Question(flow, asked, client, signed_in)


def _account_of(question: Question, now: datetime) -> Standing | None:
    """The account that is known already, where only its company is open."""
    asked, person_id = question.asked, question.signed_in.person_id
    only = Asked(account=None, chosen_account=asked.account or asked.chosen_account)
    with db.glancing() as glance:
        found = service.resolve(glance, question.client, only, person_id=person_id, now=now)
    return found.standing


def _accounts(question: Question, search: str) -> tuple[list[Option], list[Option]]:
    """The accounts to choose from, the last one first, and those that gave the person a place.

    Where the request names one, that one waits: there is nothing else to choose.
    """
    person_id = question.signed_in.person_id
    with db.glancing() as glance:
        last = service.last_account(glance, person_id=person_id, client_id=question.client.id)
    found = service.possible_accounts(question.client, person_id)
    named = question.asked.account
    options = [
        Option(place.account, place.name, is_last=place.account == last)
        for place in found.open
        if named is None and (search.casefold() in place.name.casefold() or search == place.account)
    ]
    waiting = [
        Option(place.account, place.name)
        for place in found.waiting
        if named in (None, place.account)
    ]
    return sorted(options, key=lambda option: not option.is_last), waiting[:_MOST]


def _companies(standing: Standing, search: str) -> list[Option]:
    found = service.possible_companies(standing, search=search, most=_MOST + 1)
    return [Option(company.id, company.name) for company in found]


def _browser_hash() -> bytes:
    return hash_token(known_browser_id() or "")
