"""Which proof is missing: the rules of signing in, as pure functions."""

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
    PASSKEY = "passkey"


class Step(StrEnum):
    """A page on the way."""

    ADDRESS = "address"
    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    NEW_PASSWORD = "new-password"  # noqa: S105
    ENROLMENT = "enrolment"


@dataclass(frozen=True)
class FlowFacts:
    """What was done in this flow."""

    created_at: datetime
    has_address: bool
    first_factor_of: UUID | None
    mailbox_is_proved: bool
    password_first: bool
    needs_new_password: bool = False
    """A temporary password was typed: the only way on is to set one's own."""


@dataclass(frozen=True)
class SessionFacts:
    """Who is signed in in the browser, and what else they could show."""

    person_id: UUID
    auth_time: datetime
    acr: str
    has_authenticator: bool
    has_passkey: bool = False


def second_factor(
    *,
    has_authenticator: bool,
    has_passkey: bool,
    device_is_remembered: bool,
    mailbox_is_proved: bool,
) -> SecondFactor:
    """What follows a right password: a second factor on every device that is not remembered.

    A mailbox that was proved in this flow (registration, reset) is not asked for a code again: it
    would be the same proof twice. A passkey or an authenticator app is asked for all the same, and
    who has either is never asked by mail. The page takes every factor that the person has; this is
    the one that it asks for first.
    """
    if device_is_remembered:
        return SecondFactor.NONE
    if has_passkey:
        return SecondFactor.PASSKEY
    if has_authenticator:
        return SecondFactor.AUTHENTICATOR
    return SecondFactor.NONE if mailbox_is_proved else SecondFactor.MAILED_CODE


def missing_step(
    flow: FlowFacts, session: SessionFacts | None, wanted: Wanted, now: datetime
) -> Step | None:
    """The page that is missing before this browser's session is what was asked for."""
    if (
        session is None
        or not wanted.is_by(session.person_id)
        or not wanted.is_recent(
            session.auth_time, flow_began_at=flow.created_at, again=flow.password_first, now=now
        )
    ):
        if flow.needs_new_password:
            return Step.NEW_PASSWORD
        if flow.first_factor_of is not None:
            return Step.CODE
        return Step.PASSWORD if flow.has_address else Step.ADDRESS
    if acr.satisfies(session.acr, wanted.acr):
        return None
    return _step_up(flow, session, wanted)


def _step_up(flow: FlowFacts, session: SessionFacts, wanted: Wanted) -> Step:
    if session.has_authenticator or session.has_passkey:
        return Step.CODE
    takes_mail = wanted.acr is not None and acr.MAIL_CODE in wanted.acr
    # The mailbox answered once in this flow: a code to it would prove nothing more.
    if takes_mail and session.acr == acr.SINGLE_FACTOR and not flow.mailbox_is_proved:
        return Step.CODE
    return Step.ENROLMENT
