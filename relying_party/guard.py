"""Stands before every view: whoever requires a session meets nobody without one.

A session is believed for as long as the provider vouched for it (the life of an access token);
then it is asked again, so that a session never outlives the one at the provider by more than that.
A view in a context (an account, a company) is held to that context's own grant in the same way.

What changes in between comes by the feed of security events. While that is silent, the provider is
asked at every request; when it does not answer, nothing is.
"""

from datetime import datetime

from flask import Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.web import forward, is_own_path, public_url, requirement_of
from relying_party.contexts import current as contexts
from relying_party.contexts.context import Context
from relying_party.contexts.current import Work
from relying_party.errors import MayNot, SessionOver
from relying_party.grants.service import Grants
from relying_party.security_events.feed import Feed
from relying_party.sessions import current
from relying_party.sessions.service import Sessions, SignedIn

SESSION = "session"
CONTEXT = "context"
PERMISSION = "permission "
_READING = {"GET", "HEAD"}


def permission(name: str) -> str:
    """For `@requires`: the view is in a context, and takes this permission of the application."""
    return f"{PERMISSION}{name}"


class Guard:
    """Finds out who asks, and sends strangers to the sign-in."""

    def __init__(self, sessions: Sessions, grants: Grants, feed: Feed, *, program: str) -> None:
        self._sessions = sessions
        self._grants = grants
        self._feed = feed
        self._program = program

    def watch(self, app: Flask) -> None:
        """Let no request to a view that requires a session pass without one."""
        app.before_request(self.check)

    def check(self) -> ResponseReturnValue | None:
        """For `before_request`: None lets the request through."""
        if request.endpoint is None:
            return None
        required = requirement_of(current_app.view_functions[request.endpoint]) or ""
        if required not in (SESSION, CONTEXT) and not required.startswith(PERMISSION):
            return None
        now = clock.now()
        person = self.who_asks(current.session_secret(self._program), now=now)
        if person is None or (required == SESSION and not self._may_be_believed(person, now)):
            return to_sign_in()
        current.remember(person)
        return None if required == SESSION else self._check_context(person, required)

    def _check_context(self, person: SignedIn, required: str) -> ResponseReturnValue | None:
        context: Context = (request.view_args or {})["context"]
        try:
            if self._feed.is_alive(clock.now()):
                facts = self._grants.facts(person.session_id, context)
            else:
                facts = self._grants.facts_now(person.session_id, context)
        except SessionOver:
            # The provider decides; who is signed in there is not asked for a password.
            return to_sign_in()
        work = Work(context, facts)
        contexts.remember(work)
        if required.startswith(PERMISSION) and not work.may(required.removeprefix(PERMISSION)):
            raise MayNot(required)
        return None

    def _may_be_believed(self, person: SignedIn, now: datetime) -> bool:
        """Whether the session still stands; what we would have been told of is asked, in silence."""
        if self._feed.is_alive(now):
            return True
        try:
            self._grants.confirm(person.session_id, at_once=True)
        except SessionOver:
            return False
        return True

    def who_asks(self, secret: str | None, *, now: datetime) -> SignedIn | None:
        """The person with this secret, or None. Raises IdentityUnreachable."""
        person = self._sessions.current(secret, now=now)
        if person is None or person.vouched_until > now:
            return person
        try:
            self._grants.confirm(person.session_id)
        except SessionOver:
            return None
        # What the provider said just now is what is shown.
        return self._sessions.current(secret, now=now)


def to_sign_in() -> ResponseReturnValue:
    """Ask the provider who this is, and come back here."""
    if request.method in _READING:
        return redirect(url_for("sign_in.start", return_to=_page()), code=303)
    # A form was posted: browsers would not follow a redirect that ends at another origin.
    return forward(public_url("sign_in.start", return_to=_page())), 401


def _page() -> str:
    """Where to go on after signing in: this page if it can be opened by an address."""
    path = request.full_path.removesuffix("?")
    return path if request.method in _READING and is_own_path(path) else "/"
