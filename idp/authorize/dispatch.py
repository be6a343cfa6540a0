"""Which step is missing: decided by looking at what is true now, never by what was done before."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from idp.protocol import acr, prompts
from idp.protocol.errors import ConsentRequired, InteractionRequired, LoginRequired, OAuthError


class Step(StrEnum):
    """What can be missing, in the order in which it is asked for."""

    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    CONTEXT = "context"
    CONSENT = "consent"


@dataclass(frozen=True)
class Presence:
    """What is known of the person in front of the browser."""

    person_id: UUID
    auth_time: datetime
    acr: str


def what_is_missing(
    wanted: acr.Wanted,
    *,
    presence: Presence | None,
    flow_began_at: datetime | None,
    password_first: bool = False,
    context_is_open: bool = False,
    consent_is_needed: bool,
    now: datetime,
) -> Step | None:
    """The next step on the way to an answer, or None when nothing stands in the way."""
    if presence is None or not wanted.is_by(presence.person_id):
        return Step.SIGN_IN
    if not wanted.is_recent(
        presence.auth_time, flow_began_at=flow_began_at, again=password_first, now=now
    ):
        return Step.SIGN_IN
    if not acr.satisfies(presence.acr, wanted.acr):
        return Step.STEP_UP
    if context_is_open:
        return Step.CONTEXT
    return Step.CONSENT if consent_is_needed else None


def why_not_silently(step: Step) -> OAuthError:
    """What `prompt=none` gets where a page would be needed."""
    match step:
        case Step.SIGN_IN:
            return LoginRequired("the person has to sign in")
        case Step.STEP_UP:
            return InteractionRequired("the sign-in has to be stronger")
        case Step.CONTEXT:
            return InteractionRequired("the person has to choose an account")
        case Step.CONSENT:
            return ConsentRequired("the person has to be asked")


def asks_again(request_prompts: tuple[str, ...], *, answered: bool) -> bool:
    """Whether `prompt=consent` asks although the answer is known: once in a flow.

    >>> asks_again(("consent",), answered=False)
    True
    >>> asks_again(("consent",), answered=True)
    False
    """
    return prompts.CONSENT in request_prompts and not answered
