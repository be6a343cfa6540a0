"""Stands before every view: whoever requires a session meets nobody without one.

A session is believed for as long as the provider vouched for it (the life of an access token);
then it is asked again, so that a session never outlives the one at the provider by more than that.
"""

from datetime import datetime

from flask import Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.web import is_own_path, requirement_of
from relying_party.errors import SessionOver
from relying_party.grants.service import Grants
from relying_party.sessions import current
from relying_party.sessions.service import Sessions, SignedIn

SESSION = "session"


class Guard:
    """Finds out who asks, and sends strangers to the sign-in."""

    def __init__(self, sessions: Sessions, grants: Grants, *, program: str, audience: str) -> None:
        self._sessions = sessions
        self._grants = grants
        self._program = program
        self._audience = audience

    def watch(self, app: Flask) -> None:
        """Let no request to a view that requires a session pass without one."""
        app.before_request(self.check)

    def check(self) -> ResponseReturnValue | None:
        """For `before_request`: None lets the request through."""
        if request.endpoint is None:
            return None
        if requirement_of(current_app.view_functions[request.endpoint]) != SESSION:
            return None
        person = self.who_asks(current.session_secret(self._program), now=clock.now())
        if person is None:
            return redirect(url_for("sign_in.start", return_to=_page()), code=303)
        current.remember(person)
        return None

    def who_asks(self, secret: str | None, *, now: datetime) -> SignedIn | None:
        """The person with this secret, or None. Raises IdentityUnreachable."""
        person = self._sessions.current(secret, now=now)
        if person is None or person.vouched_until > now:
            return person
        try:
            self._grants.access_token(person.session_id, audience=self._audience)
        except SessionOver:
            return None
        return person


def _page() -> str:
    """Where to go on after signing in: this page if it can be opened by an address."""
    path = request.full_path.removesuffix("?")
    return path if request.method in {"GET", "HEAD"} and is_own_path(path) else "/"
