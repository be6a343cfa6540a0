"""The identity program's ledger, and the grammar of what is written into it."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import has_request_context

from kernel.database import Writes
from kernel.ledger import Ledger, LedgerDetailMixin, LedgerEntryMixin, LedgerHeadMixin, Result
from kernel.web.requests import request_facts
from tenants.database import Base

_GRAMMAR = re.compile(r"[a-z]+(-[a-z]+)*(:[a-z]+(-[a-z]+)*){1,2}")


class LedgerEntry(LedgerEntryMixin, Base):
    """One event."""

    __tablename__ = "ledger_entries"


class LedgerDetail(LedgerDetailMixin, Base):
    """The personal fields of an event, which can be erased."""

    __tablename__ = "ledger_details"


class LedgerHead(LedgerHeadMixin, Base):
    """Where a chain stood when it was sealed."""

    __tablename__ = "ledger_heads"


ledger = Ledger(entry=LedgerEntry, detail=LedgerDetail, head=LedgerHead)


class Event(StrEnum):
    """What can happen, as `thing:part:what-happened`. Each package adds an enum of its own.

    A member that does not follow the grammar can't be defined.
    """

    def __init__(self, value: str) -> None:
        if not _GRAMMAR.fullmatch(value):
            raise ValueError(f"{value!r} is no name of an event")


def person_chain(person_id: object) -> str:
    """The chain of one person's history."""
    return f"person:{person_id}"


def account_chain(account: str) -> str:
    """The chain of what happened in one account."""
    return f"account:{account}"


def record(
    transaction: Writes,
    *,
    account: str,
    event: Event,
    actor: str,
    subject: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    about: str | None = None,
    session_id: str | None = None,
    result: Result = "success",
) -> UUID:
    """Write what was done in an account into its history, with what is known of the request.

    `actor` is `person:<id>`, `client:<id>`, `key:<id>` or `operator`; `subject` names the object in
    the same way (`company:<id>`).
    """
    facts = request_facts() if has_request_context() else None
    seen = {"address": facts.address, "user_agent": facts.user_agent} if facts else {}
    return ledger.append(
        transaction,
        chain=account_chain(account),
        event=event,
        actor=actor,
        subject=subject,
        result=result,
        at=now,
        details=details,
        personal={**seen, **(personal or {})},
        about=about,
        account=account,
        session_id=session_id,
        request_id=facts.request_id if facts else None,
    )
