"""Proving to the provider which application asks: `private_key_jwt` (RFC 7523 §2.2)."""

import json
from datetime import datetime, timedelta

from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from kernel.crypto import new_token
from kernel.errors import Misconfigured

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHM = "ES256"
_LIFE = timedelta(seconds=60)


class ClientKey:
    """The application's private key, parsed once."""

    def __init__(self, client_id: str, key: ECKey) -> None:
        self._client_id = client_id
        self._key = key

    @classmethod
    def from_text(cls, client_id: str, text: str) -> "ClientKey":
        """Read the key as settings hold it, a private JWK on P-256; raises Misconfigured."""
        try:
            member = json.loads(text)
            key = ECKey.import_key(member)
        except (JoseError, ValueError, TypeError, KeyError) as malformed:
            raise Misconfigured(f"the key of client {client_id} is not a JWK") from malformed
        if not key.is_private or key.curve_name != "P-256":
            raise Misconfigured(f"the key of client {client_id} is not a private one on P-256")
        key.ensure_kid()
        return cls(client_id, key)

    def assertion(self, *, issuer: str, now: datetime) -> str:
        """A statement, good once and for a minute, that we are this client."""
        issued_at = int(now.timestamp())
        assertion: str = private_key_jwt_sign(
            self._key,
            client_id=self._client_id,
            # The audience is the issuer: a token endpoint's address could be another provider's.
            token_endpoint=issuer,
            alg=ALGORITHM,
            claims={"jti": new_token()},
            header={"kid": self._key.kid},
            issued_at=issued_at,
            expires_at=issued_at + int(_LIFE.total_seconds()),
        )
        return assertion
