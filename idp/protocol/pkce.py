"""Proof Key for Code Exchange (RFC 7636), method S256 and no other."""

import hmac
import re

from authlib.oauth2.rfc7636 import create_s256_code_challenge

# RFC 7636 §4.1. A challenge is the base64url of a SHA-256, so it has exactly 43 characters.
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def challenge_for(verifier: str) -> str:
    """The challenge that a client sends ahead of its verifier.

    >>> challenge_for("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return str(create_s256_code_challenge(verifier))


def is_challenge(text: str) -> bool:
    """Whether this has the shape of an S256 challenge.

    >>> is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), is_challenge("")
    (True, False)
    """
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str, challenge: str) -> bool:
    """Whether `verifier` is the secret that `challenge` was made from.

    >>> secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    >>> proves(secret, challenge_for(secret)), proves(secret[::-1], challenge_for(secret))
    (True, False)
    """
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(challenge_for(verifier), challenge)
