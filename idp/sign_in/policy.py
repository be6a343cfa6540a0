"""Which proof is missing: the rules of signing in, as pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from idp.protocol import acr
from idp.protocol.acr import Wanted


class SecondFactor(StrEnum):
    """What is asked for after the password."""

    NONE = "none"
    MAILED_CODE = "mailed-code"
    AUTHENTICATOR = "authenticator"


class Step(StrEnum):
    """A page on the way."""

    ADDRESS = "address"
    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    ENROLMENT = "enrolment"


@dataclass(frozen=True)
class FlowFacts:
    """What was done in this flow."""

    created_at: datetime
    has_address: bool
    first_factor_of: UUID | None
    mailbox_is_proved: bool
    password_first: bool


@dataclass(frozen=True)
class SessionFacts:
    """Who is signed in in the browser, and what else they could show."""

    person_id: UUID
    auth_time: datetime
    acr: str
    has_authenticator: bool


def second_factor(
    *, has_authenticator: bool, device_is_remembered: bool, mailbox_is_proved: bool
) -> SecondFactor:
    """What follows a right password: a second factor on every device that is not remembered.

    A mailbox that was proved in this flow (registration, reset) is not asked for a code again: it
    would be the same proof twice. An authenticator app is asked for all the same.
    """
    if device_is_remembered:
        return SecondFactor.NONE
    if has_authenticator:
        return SecondFactor.AUTHENTICATOR
    return SecondFactor.NONE if mailbox_is_proved else SecondFactor.MAILED_CODE


def missing_step(
    flow: FlowFacts, session: SessionFacts | None, wanted: Wanted, now: datetime
) -> Step | None:
    """The page that is missing before this browser's session is what was asked for."""
    if session is None or not _is_fresh(flow, session, wanted, now):
        if flow.first_factor_of is not None:
            return Step.CODE
        return Step.PASSWORD if flow.has_address else Step.ADDRESS
    if wanted.person_id is not None and session.person_id != wanted.person_id:
        # Whatever was typed before led to somebody else.
        return Step.ADDRESS
    if is_strong_enough(session.acr, wanted.acr):
        return None
    return _step_up(flow, session, wanted)


def is_strong_enough(reached: str, wanted: Sequence[str] | None) -> bool:
    """Whether a class is one of those wanted, or above all of them.

    >>> is_strong_enough(acr.TWO_FACTOR, (acr.SINGLE_FACTOR,))
    True
    >>> is_strong_enough(acr.MAIL_CODE, (acr.TWO_FACTOR,))
    False
    """
    if wanted is None or reached in wanted:
        return True
    known = [acr.LOWEST_FIRST.index(value) for value in wanted if value in acr.LOWEST_FIRST]
    return not known or acr.LOWEST_FIRST.index(reached) > max(known)


def _is_fresh(flow: FlowFacts, session: SessionFacts, wanted: Wanted, now: datetime) -> bool:
    if session.auth_time >= flow.created_at:
        return True
    if wanted.prompt_login or flow.password_first:
        return False
    if wanted.max_age is None:
        return True
    return (now - session.auth_time).total_seconds() <= wanted.max_age


def _step_up(flow: FlowFacts, session: SessionFacts, wanted: Wanted) -> Step:
    if session.has_authenticator:
        return Step.CODE
    takes_mail = wanted.acr is not None and acr.MAIL_CODE in wanted.acr
    # The mailbox answered once in this flow: a code to it would prove nothing more.
    if takes_mail and session.acr == acr.SINGLE_FACTOR and not flow.mailbox_is_proved:
        return Step.CODE
    return Step.ENROLMENT
