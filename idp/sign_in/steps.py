"""From the facts of a flow to the page that is missing."""

from datetime import datetime

from flask import url_for

from idp.credentials import passkeys, totp
from idp.flows.service import AnyFlow
from idp.protocol import acr
from idp.protocol.acr import Wanted
from idp.sessions.service import SignedIn
from idp.sign_in import policy
from idp.sign_in.policy import FlowFacts, SessionFacts, Step
from kernel.database import Reads
from tenants.database import db
from tenants.people.address import canonical_email

_PAGES = {
    Step.ADDRESS: "sign_in.address",
    Step.PASSWORD: "sign_in.password",
    Step.CODE: "sign_in.code",
    Step.NEW_PASSWORD: "access.new_password",
    Step.ENROLMENT: "account.authenticator",
}


def session_for(flow: AnyFlow, signed_in: SignedIn | None) -> SignedIn | None:
    """The browser's session, unless another address than its own was typed in this flow."""
    if signed_in is None or flow.email is None or flow.email == signed_in.email:
        return signed_in
    is_own = canonical_email(flow.email).key == canonical_email(signed_in.email).key
    return signed_in if is_own else None


def next_step(
    at: Reads, flow: AnyFlow, signed_in: SignedIn | None, wanted: Wanted, now: datetime
) -> str | None:
    """The address of the page that is missing for signing in, or None when nothing is."""
    step = policy.missing_step(
        FlowFacts(
            created_at=flow.created_at,
            has_address=flow.email is not None,
            first_factor_of=flow.person_id if flow.first_factor_at is not None else None,
            mailbox_is_proved=flow.mailbox_proven_at is not None,
            password_first=flow.password_first,
            needs_new_password=flow.new_password_of is not None,
        ),
        _facts_of(at, signed_in, wanted),
        wanted,
        now,
    )
    return url_for(_PAGES[step], flow=flow.id) if step is not None else None


def _facts_of(at: Reads, signed_in: SignedIn | None, wanted: Wanted) -> SessionFacts | None:
    if signed_in is None:
        return None
    has_authenticator = has_passkey = False
    if not acr.satisfies(signed_in.acr, wanted.acr):
        # Only where more is wanted does it matter what the person could show.
        with db.reading_at(at) as session:
            has_authenticator = totp.is_enrolled(session, person_id=signed_in.person_id)
            has_passkey = passkeys.is_enrolled(session, person_id=signed_in.person_id)
    return SessionFacts(
        person_id=signed_in.person_id,
        auth_time=signed_in.auth_time,
        acr=signed_in.acr,
        has_authenticator=has_authenticator,
        has_passkey=has_passkey,
    )
