"""The home folder of one machine, and the secrets that its first start makes.

What is made here is for a demonstration: every secret but the programs' client keys begins with
`demo`, and production refuses to start with one that does (`klucznik.production`).
"""

import base64
import json
import os
import secrets
from pathlib import Path

from joserfc.jwk import ECKey

from kernel.settings import PREFIX, home_folder

DEMO_MARK = "demo"
_HEADER = """\
# Made by the first start of `klucznik run`, for a demonstration on this machine.
# What the environment says (KLUCZNIK_…) goes before what stands here.
"""


def prepare_home() -> bool:
    """Make the home folder and its `settings.env` where they are missing; say whether they were."""
    home = home_folder()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _write_once(home / "settings.env", _HEADER + _lines(_secrets()))


def _secrets() -> dict[str, str]:
    return {
        "SECRET_KEYS": f"{DEMO_MARK}-{secrets.token_urlsafe(32)}",
        "ENCRYPTION_KEYS": _demo_key(),
        "LEDGER_KEY": _demo_key(),
        "PORTAL_CLIENT_KEY": new_client_key(),
        "CRM_CLIENT_KEY": new_client_key(),
    }


def _demo_key() -> str:
    """A key of 32 bytes that reads `demo…` in base64url: 232 of its bits are random.

    >>> _demo_key()[:4], len(base64.urlsafe_b64decode(_demo_key() + "="))
    ('demo', 32)
    """
    mark = base64.urlsafe_b64decode(DEMO_MARK)
    key = mark + secrets.token_bytes(32 - len(mark))
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def new_client_key() -> str:
    """A private key on P-256 for `private_key_jwt`, as a JWK."""
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=True))


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{PREFIX}{name}='{value}'\n" for name, value in values.items())


def _write_once(path: Path, text: str) -> bool:
    """Write a file that only its owner reads. Of two starts at the same time, one writes it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        # A link, unlike a rename, never replaces what stands there.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
