"""What a view may change about the headers of its response."""

from kernel.web.origin import Origin
from kernel.web.requests import current_request


def allow_source(directive: str, source: str) -> None:
    """Widen the Content-Security-Policy of this response by one source."""
    current_request().notes.policy.allow(directive, source)


def allow_form_action(url: str) -> None:
    """Let a form of this page post to the origin of an (http or https) address."""
    allow_source("form-action", str(Origin.of(url)))


def no_referrer() -> str:
    """Tell nobody where the reader comes from: for sign-in, consent, error and logout pages.

    Returns nothing to show, so that a layout may call it.
    """
    current_request().notes.policy.referrer = "no-referrer"
    return ""
