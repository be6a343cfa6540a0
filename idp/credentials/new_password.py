"""Whether a password may be chosen, by the settings of this installation."""

from collections.abc import Iterable
from pathlib import Path

from flask import current_app

from idp.credentials import password
from idp.credentials.blocklist import Breached
from idp.credentials.breached import BreachedPasswords, Nothing
from idp.credentials.password import Problem
from idp.settings import current_settings
from tenants.people.service import PersonSummary

_EXTENSION = "klucznik.breached_passwords"


def why_refuse(text: str, *, context: Iterable[str]) -> Problem | None:
    """Say why this can't be a new password, or None when it can."""
    return password.why_refuse(
        text,
        min_length=current_settings().password_min_length,
        context=context,
        breached=_breached(),
    )


def why_refuse_to(person: PersonSummary, text: str) -> Problem | None:
    """The same for somebody whose address and names are known: a password is none of these."""
    return why_refuse(
        text, context=[person.email, person.given_name or "", person.family_name or ""]
    )


def _breached() -> Breached:
    """The operator's filters. They are mapped anew when the folder changes."""
    folder = current_settings().breached_passwords
    if folder is None or not folder.is_dir():
        return Nothing()
    version = folder.stat().st_mtime_ns
    known: tuple[Path, int, BreachedPasswords] | None = current_app.extensions.get(_EXTENSION)
    if known is None or known[:2] != (folder, version):
        known = (folder, version, BreachedPasswords(folder))
        current_app.extensions[_EXTENSION] = known
    return known[2]
