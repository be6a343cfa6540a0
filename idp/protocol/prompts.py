"""The `prompt` parameter (OpenID Connect Core §3.1.2.1)."""

from collections.abc import Sequence

NONE = "none"
LOGIN = "login"
CONSENT = "consent"
SELECT_ACCOUNT = "select_account"

KNOWN = (NONE, LOGIN, CONSENT, SELECT_ACCOUNT)


def why_refuse(prompts: Sequence[str]) -> str | None:
    """Say why these prompts can't be followed, or None when they can.

    A word that `prompt_values_supported` does not list is refused, for its sender could not tell
    that it was passed over (Initiating User Registration via OpenID Connect §4.1; Core is silent).

    >>> why_refuse(["none", "login"])
    'prompt none stands with nothing else'
    >>> why_refuse(["login", "consent"]) is None
    True
    >>> why_refuse(["Login"])
    'prompt has a value that is not supported'
    """
    if any(prompt not in KNOWN for prompt in prompts):
        return "prompt has a value that is not supported"
    if NONE in prompts and len(prompts) > 1:
        return "prompt none stands with nothing else"
    return None
