"""Whether somebody has a way in that only they know: a password, a passkey or an app of their own."""

from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import passkeys, password, totp


def has_own_access(session: Session, *, person_id: UUID) -> bool:
    """Whether the person has set up any way in that only they know."""
    return (
        password.stored_hash(session, person_id=person_id) is not None
        or passkeys.is_enrolled(session, person_id=person_id)
        or totp.is_enrolled(session, person_id=person_id)
    )
