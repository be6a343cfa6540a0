"""What other programs call a membership (TEN-15): one name a program, each name once in an account.

Inner functions: they take the session of the account's own transaction.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.errors import Refused
from tenants.accounts.details import NotValid
from tenants.members.models import ExternalId

__all__ = ["ExternalIdTaken", "asked", "find", "give", "note_asked", "of_membership"]

_LONGEST = 200
_TABLE = cast(Table, ExternalId.__table__)


class ExternalIdTaken(Refused):
    """The program calls another membership of this account by this name."""

    status = 409
    reason = "external_id_taken"


def give(
    session: Session, account: str, membership_id: UUID, *, client_id: str, external_id: str
) -> bool:
    """Note what a program calls a membership from now on; answers whether that is news."""
    if not external_id.strip() or len(external_id) > _LONGEST or not external_id.isprintable():
        raise NotValid("external_id", "empty, too long, or with invisible characters")
    if of_membership(session, account, membership_id, client_id=client_id) == external_id:
        return False
    try:
        with session.begin_nested():
            session.execute(delete(ExternalId).where(*_this(account, membership_id, client_id)))
            session.execute(
                insert(_TABLE).values(
                    tenant_id=account,
                    membership_id=membership_id,
                    client_id=client_id,
                    external_id=external_id,
                )
            )
    except IntegrityError as taken:
        raise ExternalIdTaken(f"{client_id} has this name for another membership") from taken
    return True


def find(session: Session, account: str, *, client_id: str, external_id: str) -> UUID | None:
    """The membership that the program calls so."""
    return session.scalar(
        select(ExternalId.membership_id).where(
            ExternalId.tenant_id == account,
            ExternalId.client_id == client_id,
            ExternalId.external_id == external_id,
        )
    )


def of_membership(
    session: Session, account: str, membership_id: UUID, *, client_id: str
) -> str | None:
    """What the program calls the membership."""
    return session.scalar(
        select(ExternalId.external_id).where(*_this(account, membership_id, client_id))
    )


def note_asked(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    client_id: str,
    asked: Mapping[str, Any],
) -> None:
    """Note how the program wants the membership that it has a name for."""
    session.execute(
        update(ExternalId)
        .where(*_this(account, membership_id, client_id))
        .values(asked=dict(asked))
    )


def asked(
    session: Session, account: str, membership_id: UUID, *, client_id: str
) -> Mapping[str, Any]:
    """How the program wanted the membership last; empty where it never said."""
    noted = session.scalar(
        select(ExternalId.asked).where(*_this(account, membership_id, client_id))
    )
    return noted or {}


def _this(account: str, membership_id: UUID, client_id: str) -> list[Any]:
    return [
        ExternalId.tenant_id == account,
        ExternalId.membership_id == membership_id,
        ExternalId.client_id == client_id,
    ]
