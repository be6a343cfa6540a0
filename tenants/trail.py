"""The audit trail of an account, as its people read it: who did what to what, when, from where (TEN-13).

The rows are the ledger's (`tenants.audit`); an account reads its own chain and no other.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kernel.ledger import Row, Wanted
from kernel.pages import MOST, Page, PageRequest
from kernel.spreadsheets import csv_lines
from tenants.audit import account_chain, ledger, record
from tenants.database import db
from tenants.events import AccountEvent
from tenants.members.models import Membership

__all__ = [
    "COLUMNS",
    "Exported",
    "Row",
    "Wanted",
    "as_csv",
    "as_json_lines",
    "details_of",
    "export",
    "listed",
    "names",
]

COLUMNS = (
    "at",
    "event",
    "result",
    "actor",
    "actor_name",
    "real_actor",
    "subject",
    "subject_name",
    "address",
    "session",
    "request",
    "id",
    "details",
)


class Exported(NamedTuple):
    """A row that is taken out, and what the account calls those whom it names."""

    row: Row
    names: Mapping[str, str]


_PERSON = "person:"
_MEMBER = "member:"


def listed(
    session: Session, account: str, *, asked: PageRequest, wanted: Wanted | None = None
) -> Page[Row]:
    """A page of what happened in an account, the newest first; raises CursorUnusable."""
    return ledger.page(
        session, chain=account_chain(account), wanted=wanted or Wanted(), asked=asked
    )


def names(session: Session, account: str, rows: Sequence[Row]) -> dict[str, str]:
    """Whom the rows name, as the account calls them; who is none of its people is left out."""
    labels = {label for row in rows for label in (row.actor, row.real_actor, row.subject) if label}
    found = session.execute(
        select(
            Membership.id,
            Membership.person_id,
            Membership.given_name,
            Membership.family_name,
            Membership.email,
        )
        .where(
            Membership.tenant_id == account,
            or_(
                Membership.person_id.in_(_ids(labels, _PERSON)),
                Membership.id.in_(_ids(labels, _MEMBER)),
            ),
        )
        # Who is member and client is called as the member.
        .order_by(Membership.kind)
    )
    called: dict[str, str] = {}
    for row in found:
        name = " ".join(filter(None, (row.given_name, row.family_name))) or row.email
        called[f"{_PERSON}{row.person_id}"] = called[f"{_MEMBER}{row.id}"] = name
    return {label: called[label] for label in labels & called.keys()}


def export(account: str, *, wanted: Wanted, actor: str, now: datetime) -> Iterator[Exported]:
    """All rows that are wanted up to now, the newest first, read while they are taken.

    That they were taken out is a row itself, written before this returns.
    """
    with db.transaction(tenant=account) as session:
        record(
            session,
            account=account,
            event=AccountEvent.AUDIT_EXPORTED,
            actor=actor,
            subject=f"account:{account}",
            now=now,
            details={"wanted": [word for word in wanted.words() if word]},
        )
    return _read(account, wanted)


def _read(account: str, wanted: Wanted) -> Iterator[Exported]:
    cursor: str | None = None
    while True:
        # A transaction a page: whoever reads slowly keeps nobody waiting.
        with db.reading(tenant=account) as session:
            page = listed(
                session, account, asked=PageRequest(limit=MOST, cursor=cursor), wanted=wanted
            )
            called = names(session, account, page.items)
        for row in page.items:
            yield Exported(row, called)
        if page.next is None:
            return
        cursor = page.next


def details_of(row: Row) -> dict[str, Any]:
    """What a row tells besides its columns, to who reads it in the account.

    Which person stands behind a membership is not told: an id tells when it was made, and so whether
    there was an ID before the account added the address.
    """
    hidden = {"person", "address"}
    told = {**row.details, **row.personal}
    return {name: value for name, value in told.items() if name not in hidden}


def as_csv(rows: Iterable[Exported]) -> Iterator[str]:
    """The rows for a spreadsheet, a line at a time."""
    return csv_lines(COLUMNS, (_cells(row) for row in rows))


def as_json_lines(rows: Iterable[Exported]) -> Iterator[str]:
    """The rows for programs, each a JSON object on a line of its own."""
    return (json.dumps(_facts(row), ensure_ascii=False) + "\n" for row in rows)


def _cells(exported: Exported) -> list[object]:
    facts = _facts(exported)
    details = json.dumps(facts["details"], ensure_ascii=False) if facts["details"] else None
    return [*(facts[column] for column in COLUMNS[:-1]), details]


def _facts(exported: Exported) -> dict[str, Any]:
    row, called = exported
    return {
        "at": row.at.isoformat(),
        "event": row.event,
        "result": row.result,
        "actor": row.actor,
        "actor_name": called.get(row.actor or ""),
        "real_actor": row.real_actor,
        "subject": row.subject,
        "subject_name": called.get(row.subject or ""),
        "address": row.personal.get("address"),
        "session": row.session,
        "request": row.request,
        "id": str(row.id),
        "details": details_of(row),
    }


def _ids(labels: Iterable[str], kind: str) -> list[UUID]:
    """The ids in labels of this kind; what a program wrote otherwise is none."""
    found = []
    for label in labels:
        if label.startswith(kind):
            with suppress(ValueError):
                found.append(UUID(label.removeprefix(kind)))
    return found
