"""The browser's signed cookie as Flask has it, to the last byte and with less work."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData

from kernel.web.cookies import set_cookie
from kernel.web.signing import SignedValues


class BrowserSessions(SecureCookieSessionInterface):
    """Cookies of one program. It has secrets: without them there is no session."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._made: SignedValues | None = None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        signed = self._signed(app)
        if signed is None:
            return None
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        longest = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.session_class(signed.read(cookie, max_age=longest))
        except BadData:
            return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not session or session.permanent:
            super().save_session(app, session, response)
            return
        signed = self._signed(app)
        if session.modified and signed is not None:
            set_cookie(response, self.name, signed.sign(dict(session)))
        # That the answer hangs on the cookie is said already, most often.
        if response.headers.get("Vary") != "Cookie":
            response.vary.add("Cookie")

    def _signed(self, app: Flask) -> SignedValues | None:
        if self._made is None:
            serializer = self.get_signing_serializer(app)
            self._made = SignedValues(serializer) if serializer is not None else None
        return self._made
