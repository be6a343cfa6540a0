"""`GET /login` sends the browser to the provider; `GET /callback` takes it back."""

from typing import cast

from flask import Blueprint, current_app, redirect, request
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import current_language
from kernel.observability.metrics import counter
from kernel.web import browser_id, known_browser_id, own_path, public, set_cookie
from relying_party.client import CALLBACK_PATH
from relying_party.contexts import context as contexts
from relying_party.errors import AttemptUnknown, SignInFailed
from relying_party.sessions import current
from relying_party.sign_in import answer
from relying_party.sign_in.attempts import Wish
from relying_party.sign_in.service import SignIn

EXTENSION = "klucznik.relying_party.sign_in"
blueprint = Blueprint("sign_in", __name__)

_sign_ins = counter(
    "application_sign_ins_total", "Sign-ins that came back from the provider", ["program", "result"]
)


@blueprint.get("/login")
@public
def start() -> ResponseReturnValue:
    """Go and prove at the identity program who you are, then come back to `return_to`."""
    return_to = own_path(request.args.get("return_to"))
    url = _sign_in().begin(
        Wish(return_to, context=contexts.of_path(return_to)),
        browser_hash=hash_token(browser_id()),
        language=current_language(),
        now=clock.now(),
    )
    return redirect(url, code=303)


@blueprint.get(CALLBACK_PATH)
@public
def finish() -> ResponseReturnValue:
    """Take what the identity program says, and begin a session."""
    program = current_app.name
    try:
        given = answer.read(request.args.items(multi=True))
        browser = known_browser_id()
        if browser is None:
            raise AttemptUnknown("a browser that we don't know")
        signed_in = _sign_in().finish(
            given,
            browser_hash=hash_token(browser),
            previous_secret=current.session_secret(program),
            now=clock.now(),
        )
    except SignInFailed as refusal:
        _sign_ins.labels(program, refusal.reason).inc()
        # Whose session goes on in this browser reads the refusal in their own language.
        person = _sign_in().who_was_here(current.session_secret(program), now=clock.now())
        if person is not None:
            current.remember(person)
        raise
    _sign_ins.labels(program, "success").inc()
    response = redirect(signed_in.return_to, code=303)
    set_cookie(response, current.session_cookie(program), signed_in.secret)
    return response


def _sign_in() -> SignIn:
    return cast(SignIn, current_app.extensions[EXTENSION])
