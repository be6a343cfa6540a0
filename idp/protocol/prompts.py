"""The `prompt` parameter (OpenID Connect Core §3.1.2.1)."""

from collections.abc import Sequence

NONE = "none"
LOGIN = "login"
CONSENT = "consent"
SELECT_ACCOUNT = "select_account"

KNOWN = (NONE, LOGIN, CONSENT, SELECT_ACCOUNT)


def why_refuse(prompts: Sequence[str]) -> str | None:
    """Say why these prompts can't be followed, or None when they can.

    Unknown words are passed over, as unknown parameters are.

    >>> why_refuse(["none", "login"])
    'prompt none stands with nothing else'
    >>> why_refuse(["login", "consent"]) is None
    True
    """
    if NONE in prompts and len(prompts) > 1:
        return "prompt none stands with nothing else"
    return None
