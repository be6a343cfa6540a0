"""The page that asks whether an application may have what it wants."""

from flask import Blueprint, Flask, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from consent.oauth import service, wording
from consent.oauth.question import Asker, Question
from kernel import clock
from kernel.web import request_facts, requires
from tenants.database import db

_EXTENSION = "klucznik.consent.asker"

blueprint = Blueprint("oauth_consent", __name__)


def hand_in(app: Flask, asker: Asker) -> None:
    """Say who has the questions; called once, while the program is put together."""
    app.extensions[_EXTENSION] = asker


@blueprint.get("/consent")
@requires("flow")
def ask() -> ResponseReturnValue:
    """Ask the person, in words, what they let the application do."""
    question = _asker().question(request.args.get("flow"), now=clock.now())
    return render_template(
        "consent/ask.html", question=question, lines=wording.lines(question.scopes)
    )


@blueprint.post("/consent")
@requires("flow")
def answer() -> ResponseReturnValue:
    """Write the answer down and go on."""
    now = clock.now()
    question = _asker().question(request.args.get("flow"), now=now)
    allowed = request.form.get("answer") == "allow"
    is_answer = allowed or request.form.get("answer") == "refuse"
    if not is_answer or not _is_of(question):
        return redirect(request.full_path, 303)
    with db.transaction() as session:
        write_down = service.give if allowed else service.refuse
        write_down(
            session,
            person_id=question.person_id,
            client_id=question.client_id,
            account=question.account,
            scopes=question.scopes,
            address=request_facts().address,
            now=now,
        )
        _asker().answered(session, question, allowed=allowed, now=now)
    return redirect(question.goes_on_at, 303)


def _is_of(question: Question) -> bool:
    """Whether the page that was answered asked this.

    Since it was shown somebody else may have signed in in this browser, or another account been chosen.
    """
    asked = request.form.get("person"), request.form.get("account", "")
    return asked == (str(question.person_id), question.account or "")


def _asker() -> Asker:
    asker: Asker = current_app.extensions[_EXTENSION]
    return asker
