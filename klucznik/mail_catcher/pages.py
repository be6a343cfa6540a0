"""The pages on which caught mails are read, and `/messages.json` for scripts."""

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from kernel.web import allow_source, csrf_exempt, public
from klucznik.mail_catcher.mailbox import CaughtMail, Mailbox

blueprint = Blueprint("mail_catcher", __name__)

MAILBOX = "klucznik.mailbox"

# A mail may draw itself and nothing else: no script, no form, nothing fetched. Its links open in a
# tab of their own, which is an ordinary one.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_OPEN_OUTSIDE = '<base target="_blank">'


@blueprint.get("/")
@public
def inbox() -> ResponseReturnValue:
    """All mails, newest first."""
    to = request.args.get("to") or None
    return render_template("mail_catcher/inbox.html", mails=_mailbox().newest_first(to), to=to)


@blueprint.get("/mails/<int:number>")
@public
def mail(number: int) -> ResponseReturnValue:
    """One mail: who, when, and what it looks like."""
    allow_source("frame-src", "'self'")
    return render_template("mail_catcher/mail.html", mail=_find(number))


@blueprint.get("/mails/<int:number>/html")
@public
def mail_html(number: int) -> ResponseReturnValue:
    """The HTML part alone, as the frame of `mail` shows it."""
    response = Response(_OPEN_OUTSIDE + _find(number).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@blueprint.get("/messages.json")
@public
def messages() -> ResponseReturnValue:
    """All mails for scripts, newest first; `?to=` picks those to one address."""
    return [_as_json(caught) for caught in _mailbox().newest_first(request.args.get("to"))]


@blueprint.delete("/messages.json")
@public
@csrf_exempt
def clear() -> ResponseReturnValue:
    """Forget all mails."""
    # A browser sends this for a foreign page only after asking, and nobody answers yes.
    _mailbox().clear()
    return "", 204


def _as_json(caught: CaughtMail) -> dict[str, object]:
    return {
        "id": caught.number,
        "to": caught.to,
        "from": caught.sender,
        "subject": caught.subject,
        "text": caught.text,
        "html": caught.html,
        "sent_at": caught.sent_at.isoformat(),
        "message_id": caught.message_id,
    }


def _find(number: int) -> CaughtMail:
    found = _mailbox().find(number)
    if found is None:
        abort(404)
    return found


def _mailbox() -> Mailbox:
    mailbox: Mailbox = current_app.extensions[MAILBOX]
    return mailbox
