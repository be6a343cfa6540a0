"""Reading the identity program's signed tokens: one place, one fixed algorithm a key, no surprises.

What a token says is checked by `sign_in.id_token` and `logout.logout_token`; here is decided only
whether it says it: form, type, key, signature.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from relying_party.errors import TokenInvalid

LONGEST = 16_384
ALGORITHMS = frozenset({"ES256", "EdDSA", "PS256", "RS256"})

FindKey = Callable[[str], Key]


def read(token: str, *, types: frozenset[str], algorithm: str, find_key: FindKey) -> dict[str, Any]:
    """The claims of a token that `find_key`'s key signed; raises TokenInvalid.

    `types` are the acceptable `typ` headers in lower case, "" among them where it may be absent.
    `find_key` gets the key id and raises TokenInvalid when it knows none such. Keys that the token
    itself names or brings (`jwk`, `jku`, `x5c`, …) are never looked at.
    """
    if len(token) > LONGEST or not token.isascii() or token.count(".") != 2:
        raise TokenInvalid("not a compact signed token of reasonable size")
    header = _object(_decoded(token.partition(".")[0]))
    _check_header(header, types=types, algorithm=algorithm)
    key = find_key(header["kid"])
    try:
        opened = jws.deserialize_compact(
            token, key, registry=jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        )
    except (JoseError, ValueError, TypeError) as broken:
        raise TokenInvalid("the signature does not fit") from broken
    return _object(opened.payload)


def _check_header(header: dict[str, Any], *, types: frozenset[str], algorithm: str) -> None:
    if "crit" in header or "b64" in header or "zip" in header or "enc" in header:
        raise TokenInvalid("the header demands what we don't know")
    if header.get("alg") != algorithm or algorithm not in ALGORITHMS:
        raise TokenInvalid("signed with another algorithm than agreed")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise TokenInvalid("a token of another type")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise TokenInvalid("the header names no key")


def _decoded(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as malformed:
        raise TokenInvalid("not base64url") from malformed


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
    except (ValueError, RecursionError) as malformed:
        raise TokenInvalid("not JSON as we take it") from malformed
    if not isinstance(value, dict):
        raise TokenInvalid("not a JSON object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member twice")
    return found


def _no_constants(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def is_moment(value: object) -> bool:
    """Whether a claim is a moment as numbers say it (seconds since 1970).

    >>> is_moment(1_780_000_000), is_moment(True), is_moment("1780000000"), is_moment(1e400)
    (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 <= value < 10**11


def is_plain(value: object, *, longest: int = 255) -> bool:
    """Whether a claim is a non-empty printable ASCII string, as identifiers are.

    >>> is_plain("248289761001"), is_plain(""), is_plain("a b"), is_plain(None)
    (True, False, False, False)
    """
    return (
        isinstance(value, str)
        and 0 < len(value) <= longest
        and all("!" <= letter <= "~" for letter in value)
    )


def names_only(audience: object, client_id: str) -> bool:
    """Whether `aud` means this client and nobody besides.

    >>> names_only("portal", "portal"), names_only(["portal"], "portal")
    (True, True)
    >>> names_only(["portal", "crm"], "portal"), names_only("portal2", "portal")
    (False, False)
    """
    return audience == client_id or audience == [client_id]
