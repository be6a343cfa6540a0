"""Hashes that other systems made: read, priced, and compared with once.

`read` knows every kind by how its text begins. At the first sign-in the password is hashed anew,
so nothing here ever makes a hash. What it costs to verify one is computed before anything is
computed with it: whoever hands us a list of people must not be able to hand us work for hours.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bcrypt
from argon2.exceptions import Argon2Error
from argon2.low_level import Type, verify_secret

from idp.credentials.sha_crypt import sha256_crypt, sha512_crypt
from kernel.errors import KlucznikError

LONGEST = 255
DEAREST_MILLISECONDS = 1_000
LARGEST_KIB = 64 * 1024
_SHORTEST_DIGEST = 16
_BCRYPT_BYTES = 72

# What a unit of each kind costs, in milliseconds of a core of the machine that we measured on.
_PBKDF2_ROUND = {"sha1": 0.0002, "sha256": 0.0002, "sha512": 0.000_42}
_SCRYPT_BLOCK = 0.000_28
_ARGON2_KIB = 0.000_48
_BCRYPT_ROUND = 0.054
_SHA_CRYPT_ROUND = {"5": 0.0004, "6": 0.0006}

# What reading a JSON of any shape, as if it were the right one, can end in.
_MALFORMED = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
)

_SCHEME = re.compile(r"\A\{(?:crypt|bcrypt)\}", re.IGNORECASE)
_DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha512": 64}


class UnknownHash(KlucznikError):
    """The text is of no kind that is known here."""


class MalformedHash(UnknownHash):
    """The text begins like a kind that is known, and goes on wrongly."""


class DearHash(UnknownHash):
    """Verifying it would take more time or memory than a sign-in may."""


@dataclass(frozen=True)
class ForeignHash:
    """A hash that was read: what it is, what it costs, and whether a password is the one."""

    kind: str
    milliseconds: float
    kib: float
    proves: Callable[[bytes], bool]


def read(stored: str) -> ForeignHash:
    """Understand a stored hash; raises UnknownHash, MalformedHash, DearHash."""
    if len(stored) > LONGEST or not (stored.isascii() and stored.isprintable()):
        raise MalformedHash(f"longer than {LONGEST} characters, or not plain text")
    for pattern, understand in _KINDS:
        found = pattern.fullmatch(stored)
        if found is not None:
            return _affordable(understand(found))
    if stored.startswith(_BEGINNINGS):
        raise MalformedHash("it begins like a hash that is known, and goes on otherwise")
    raise UnknownHash("a hash of no known kind")


def adopt(text: str) -> str:
    """The form in which a hash from an export is kept; raises UnknownHash and its kin.

    Takes off the wrapping that Django and directories put around a hash, and writes Keycloak's
    credential (a JSON object) as one line.

    >>> adopt("{CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5")[:14]
    '$5$saltstring$'
    """
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = _from_keycloak(text)
    text = _SCHEME.sub("", text)
    for wrapping, begins in (("bcrypt$", "$2"), ("argon2", "$argon2")):
        if text.startswith(wrapping + begins):
            text = text.removeprefix(wrapping)
    read(text)
    return text


def _affordable(found: ForeignHash) -> ForeignHash:
    if found.kib > LARGEST_KIB:
        raise DearHash(f"{found.kind} takes {found.kib / 1024:.0f} MiB of memory")
    if found.milliseconds > DEAREST_MILLISECONDS:
        raise DearHash(f"{found.kind} takes {found.milliseconds / 1000:.1f} s to verify")
    return found


def _argon2(found: re.Match[str]) -> ForeignHash:
    kib, passes, lanes = (int(found[name]) for name in ("m", "t", "p"))
    if not (passes > 0 and 0 < lanes <= 16 and 8 * lanes <= kib):
        raise MalformedHash("Argon2 with parameters that can't be")
    _digest(found["digest"])
    _bytes_of(found["salt"])
    type_ = {"i": Type.I, "d": Type.D, "id": Type.ID}[found["type"]]
    stored = found[0].encode()

    def proves(password: bytes) -> bool:
        try:
            return verify_secret(stored, password, type_)
        except Argon2Error:
            return False

    return ForeignHash(f"argon2{found['type']}", kib * passes * _ARGON2_KIB, kib, proves)


def _bcrypt(found: re.Match[str]) -> ForeignHash:
    cost = int(found["cost"])
    if not 4 <= cost <= 31:
        raise MalformedHash("bcrypt with a cost that can't be")
    stored = found["hash"].encode()
    # Django's answer to the 72 bytes: what bcrypt gets is the hexadecimal SHA-256.
    is_shortened = found["sha256"] is not None

    def proves(password: bytes) -> bool:
        if is_shortened:
            password = hashlib.sha256(password).hexdigest().encode()
        # Behind 72 bytes, and behind a zero byte, bcrypt looks at nothing. A password that can't
        # be verified whole is not taken for verified.
        if len(password) > _BCRYPT_BYTES or b"\0" in password:
            return False
        try:
            return bcrypt.checkpw(password, stored)
        except ValueError:
            return False

    return ForeignHash("bcrypt", 2**cost * _BCRYPT_ROUND, 4, proves)


def _pbkdf2(name: str, rounds: str, salt: bytes, digest: bytes) -> ForeignHash:
    times = int(rounds)
    if not 0 < times < 2**31:
        raise MalformedHash("PBKDF2 with a count that can't be")
    # Further blocks of a long digest prove nothing that the first one doesn't.
    expected = digest[: _DIGEST_BYTES[name]]

    def proves(password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(name, password, salt, times, len(expected))
        return hmac.compare_digest(made, expected)

    return ForeignHash(f"pbkdf2-{name}", times * _PBKDF2_ROUND[name], 1, proves)


def _scrypt(n: int, r: int, p: int, salt: bytes, digest: bytes) -> ForeignHash:
    if n < 2 or n & (n - 1) or not (0 < r <= 64 and 0 < p <= 64):
        raise MalformedHash("scrypt with parameters that can't be")
    kib = n * r / 8

    def proves(password: bytes) -> bool:
        made = hashlib.scrypt(
            password,
            salt=salt,
            n=n,
            r=r,
            p=p,
            maxmem=(n + p + 2) * r * 128 + 2**20,
            dklen=len(digest),
        )
        return hmac.compare_digest(made, digest)

    return ForeignHash("scrypt", n * r * p * _SCRYPT_BLOCK, kib, proves)


def _sha_crypt(found: re.Match[str]) -> ForeignHash:
    rounds = int(found["rounds"] or 5_000)
    if not 1_000 <= rounds <= 999_999_999:
        raise MalformedHash("SHA-crypt with a count that can't be")
    make = {"5": sha256_crypt, "6": sha512_crypt}[found["type"]]
    salt, expected = found["salt"].encode(), found["digest"]

    def proves(password: bytes) -> bool:
        # To Unix a zero byte is the end of the text.
        return b"\0" not in password and hmac.compare_digest(make(password, salt, rounds), expected)

    kind = {"5": "sha256-crypt", "6": "sha512-crypt"}[found["type"]]
    return ForeignHash(kind, rounds * _SHA_CRYPT_ROUND[found["type"]], 1, proves)


def _pbkdf2_of_passlib(found: re.Match[str]) -> ForeignHash:
    return _pbkdf2(
        found["name"] or "sha1",
        found["rounds"],
        _bytes_of(found["salt"]),
        _digest(found["digest"]),
    )


def _pbkdf2_of_django(found: re.Match[str]) -> ForeignHash:
    return _pbkdf2(found["name"], found["rounds"], found["salt"].encode(), _digest(found["digest"]))


def _pbkdf2_of_werkzeug(found: re.Match[str]) -> ForeignHash:
    return _pbkdf2(
        found["name"], found["rounds"], found["salt"].encode(), _hex_digest(found["digest"])
    )


def _scrypt_of_passlib(found: re.Match[str]) -> ForeignHash:
    power = int(found["ln"])
    if not 1 <= power <= 31:
        raise MalformedHash("scrypt with parameters that can't be")
    return _scrypt(
        2**power,
        int(found["r"]),
        int(found["p"]),
        _bytes_of(found["salt"]),
        _digest(found["digest"]),
    )


def _scrypt_of_django(found: re.Match[str]) -> ForeignHash:
    return _scrypt(*_n_r_p(found), found["salt"].encode(), _digest(found["digest"]))


def _scrypt_of_werkzeug(found: re.Match[str]) -> ForeignHash:
    return _scrypt(*_n_r_p(found), found["salt"].encode(), _hex_digest(found["digest"]))


def _n_r_p(found: re.Match[str]) -> tuple[int, int, int]:
    return int(found["n"]), int(found["r"]), int(found["p"])


def _bytes_of(text: str) -> bytes:
    """Base 64 as everybody writes it: with or without padding, with `+` or passlib's `.`."""
    bare = text.rstrip("=").replace(".", "+")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as malformed:
        raise MalformedHash("a part is not base 64") from malformed


def _digest(text: str) -> bytes:
    return _long_enough(_bytes_of(text))


def _hex_digest(text: str) -> bytes:
    return _long_enough(bytes.fromhex(text))


def _long_enough(digest: bytes) -> bytes:
    # One of a byte would be right for every 256th password.
    if not _SHORTEST_DIGEST <= len(digest) <= 64:
        raise MalformedHash("a digest that is too short or too long")
    return digest


def _from_keycloak(text: str) -> str:
    """One credential of a Keycloak export, as one line."""
    try:
        return _keycloak_line(json.loads(text))
    except _MALFORMED as wrong:
        raise MalformedHash("not a password credential of Keycloak") from wrong


def _keycloak_line(credential: dict[str, Any]) -> str:
    secret, about = (
        json.loads(part) if isinstance(part, str) else part
        for part in (credential["secretData"], credential["credentialData"])
    )
    rounds = int(about["hashIterations"])
    salt, digest = (_bare(secret[name]) for name in ("salt", "value"))
    algorithm = str(about["algorithm"])
    if algorithm == "argon2":
        more = {name: values[0] for name, values in about["additionalParameters"].items()}
        version = {"1.0": 16, "1.3": 19}[more["version"]]
        kib, lanes = int(more["memory"]), int(more["parallelism"])
        return f"$argon2{more['type']}$v={version}$m={kib},t={rounds},p={lanes}${salt}${digest}"
    if algorithm == "pbkdf2":
        algorithm = "pbkdf2-sha1"
    return f"${algorithm}${rounds}${salt}${digest}"


def _bare(text: str) -> str:
    return base64.b64encode(base64.b64decode(text, validate=True)).decode().rstrip("=")


_B64 = r"[A-Za-z0-9+/.]"
_NUMBER = r"[0-9]{1,10}"

_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], ForeignHash]], ...] = tuple(
    (re.compile(pattern), understand)
    for pattern, understand in (
        (
            rf"\$argon2(?P<type>id|i|d)(?:\$v=(?:16|19))?\$m=(?P<m>{_NUMBER}),t=(?P<t>{_NUMBER}),"
            rf"p=(?P<p>{_NUMBER})\$(?P<salt>{_B64}{{11,}})\$(?P<digest>{_B64}+)",
            _argon2,
        ),
        (
            r"(?P<sha256>bcrypt_sha256\$)?"
            r"(?P<hash>\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53})",
            _bcrypt,
        ),
        (
            rf"\$pbkdf2(?:-(?P<name>sha1|sha256|sha512))?\$(?:i=)?(?P<rounds>{_NUMBER})(?:,l=[0-9]+)?"
            rf"\$(?P<salt>{_B64}*)\$(?P<digest>{_B64}+)",
            _pbkdf2_of_passlib,
        ),
        (
            rf"pbkdf2_(?P<name>sha1|sha256|sha512)\$(?P<rounds>{_NUMBER})\$(?P<salt>[^$]*)"
            rf"\$(?P<digest>{_B64}+=*)",
            _pbkdf2_of_django,
        ),
        (
            rf"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<rounds>{_NUMBER})\$(?P<salt>[^$]*)"
            r"\$(?P<digest>(?:[0-9a-f]{2})+)",
            _pbkdf2_of_werkzeug,
        ),
        (
            rf"\$scrypt\$ln=(?P<ln>[0-9]{{1,2}}),r=(?P<r>{_NUMBER}),p=(?P<p>{_NUMBER})"
            rf"\$(?P<salt>{_B64}*)\$(?P<digest>{_B64}+)",
            _scrypt_of_passlib,
        ),
        (
            rf"scrypt\$(?P<n>{_NUMBER})\$(?P<salt>[^$]*)\$(?P<r>{_NUMBER})\$(?P<p>{_NUMBER})"
            rf"\$(?P<digest>{_B64}+=*)",
            _scrypt_of_django,
        ),
        (
            rf"scrypt:(?P<n>{_NUMBER}):(?P<r>{_NUMBER}):(?P<p>{_NUMBER})\$(?P<salt>[^$]*)"
            r"\$(?P<digest>(?:[0-9a-f]{2})+)",
            _scrypt_of_werkzeug,
        ),
        (
            rf"\$(?P<type>5)\$(?:rounds=(?P<rounds>{_NUMBER})\$)?(?P<salt>[^$:]{{0,16}})"
            r"\$(?P<digest>[./0-9A-Za-z]{43})",
            _sha_crypt,
        ),
        (
            rf"\$(?P<type>6)\$(?:rounds=(?P<rounds>{_NUMBER})\$)?(?P<salt>[^$:]{{0,16}})"
            r"\$(?P<digest>[./0-9A-Za-z]{86})",
            _sha_crypt,
        ),
    )
)
_BEGINNINGS = (
    *("$argon2", "$2", "bcrypt_sha256$", "$pbkdf2", "pbkdf2_", "pbkdf2:"),
    *("$scrypt$", "scrypt$", "scrypt:", "$5$", "$6$"),
)
