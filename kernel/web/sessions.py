"""The browser's signed cookie as Flask has it; what signs it is made once and not for each request."""

import hmac
from functools import lru_cache

from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.signer import SigningAlgorithm


class BrowserSessions(SecureCookieSessionInterface):
    """Cookies of one program: the same as Flask's to the last byte."""

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._serializer is None:
            made = super().get_signing_serializer(app)
            if made is not None:
                made.signer = _Signer
                made.signer_kwargs["algorithm"] = _InOneGo()
            self._serializer = made
        return self._serializer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session and not session.modified and not session.permanent:
            # Nothing is given; that the answer hangs on the cookie is said already, most often.
            if response.headers.get("Vary") != "Cookie":
                response.vary.add("Cookie")
            return
        super().save_session(app, session, response)


class _Signer(TimestampSigner):
    """Signs with keys that are derived once from the secrets of the settings."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        secret = self.secret_keys[-1] if secret_key is None else secret_key
        return _derive(secret, self.salt, self.key_derivation, self.digest_method)


class _InOneGo(SigningAlgorithm):
    """HMAC-SHA1 as Flask's, computed in one call: `hmac.new` takes the long way with its digest."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


# As many as there are secrets in the settings.
@lru_cache(maxsize=64)
def _derive(secret_key: str | bytes, salt: bytes, derivation: str, digest: object) -> bytes:
    signer = TimestampSigner(secret_key, salt=salt, key_derivation=derivation, digest_method=digest)
    return signer.derive_key()
