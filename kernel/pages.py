"""Long lists, a page at a time: each page begins where the last one ended, whatever was added since.

    ORDERS = {"name": Order("name", (Company.sort_name, Company.id))}

    page = read(
        session, select(Company.id, Company.name).where(Company.tenant_id == account), Listed,
        order=ORDERS["name"], asked=PageRequest(limit=20), bound_to=(account, "companies"),
    )

Where the next page begins is a cursor: signed, and good for nothing but the list that it came from.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from kernel import program
from kernel.crypto import constant_time_equal, keyed_hash
from kernel.errors import Refused
from kernel.settings import Settings

Item = TypeVar("Item")
Value = str | int | UUID | datetime

USUAL = 50
MOST = 200
_LONGEST_CURSOR = 2_000
_MAC_BYTES = 16


class CursorUnusable(Refused):
    """The cursor is not ours, or it belongs to another list, order or account."""

    status = 422
    reason = "cursor_unusable"


@dataclass(frozen=True)
class PageRequest:
    """Which part of a list is wanted: at most so many, from the cursor on."""

    limit: int = USUAL
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise ValueError(f"a page has between 1 and {MOST} items")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list."""

    items: tuple[Item, ...]
    next: str | None
    """The cursor of the page after this one; None at the end of the list."""
    total: int | None = None
    """How many the whole list has, where people page through it."""


@dataclass(frozen=True)
class Order:
    """A way to sort a list: by columns that are never NULL, the last of which is unique in it."""

    name: str
    columns: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    descending: bool = False


def read(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    make: Callable[..., Item],
    *,
    order: Order,
    asked: PageRequest,
    bound_to: Sequence[str],
    with_total: bool = False,
) -> Page[Item]:
    """One page of what the statement finds; raises CursorUnusable.

    `make` is called with the statement's columns. `bound_to` names the account, the list and every
    filter: a cursor that was given under other ones is refused.
    """
    binding = (*bound_to, order.name, "falling" if order.descending else "rising")
    keys = tuple_(*order.columns)
    wanted = statement.add_columns(*order.columns)
    if asked.cursor is not None:
        after = tuple_(
            *(
                literal(value, column.type)
                for value, column in zip(_opened(asked.cursor, binding), order.columns, strict=True)
            )
        )
        wanted = wanted.where(keys < after if order.descending else keys > after)
    sorting = (column.desc() if order.descending else column.asc() for column in order.columns)
    found = session.execute(wanted.order_by(*sorting).limit(asked.limit + 1)).all()
    width, rows = len(order.columns), found[: asked.limit]
    total = None
    if with_total:
        total = session.scalar(select(func.count()).select_from(statement.subquery()))
    return Page(
        items=tuple(make(*row[:-width]) for row in rows),
        next=_sealed(rows[-1][-width:], binding) if len(found) > len(rows) else None,
        total=total,
    )


def every(listed: Callable[..., Page[Item]]) -> Iterator[Item]:
    """Every item of a list, read a page at a time: `listed` is called with what is `asked` for."""
    cursor: str | None = None
    while True:
        page = listed(asked=PageRequest(limit=MOST, cursor=cursor))
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _sealed(values: Sequence[Value], binding: Sequence[str]) -> str:
    payload = json.dumps([_written(value) for value in values], separators=(",", ":")).encode()
    newest = _secrets()[0]
    return base64.urlsafe_b64encode(_mac(newest, payload, binding) + payload).decode().rstrip("=")


def _opened(cursor: str, binding: Sequence[str]) -> list[Value]:
    if len(cursor) > _LONGEST_CURSOR:
        raise CursorUnusable("too long")
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (ValueError, binascii.Error) as malformed:
        raise CursorUnusable("not base64url") from malformed
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not any(constant_time_equal(mac, _mac(secret, payload, binding)) for secret in _secrets()):
        raise CursorUnusable("not signed by us for this list")
    # Only what we have written ourselves gets here.
    return [_READ[kind](text) for kind, text in json.loads(payload)]


def _mac(secret: str, payload: bytes, binding: Sequence[str]) -> bytes:
    parts = (part.encode("utf-8", "surrogatepass") for part in binding)
    return keyed_hash(secret.encode(), b"cursor", payload, *parts)[:_MAC_BYTES]


def _secrets() -> list[str]:
    settings: Settings = program.extensions()["klucznik.settings"]
    return settings.signing_secrets()


def _written(value: Value) -> tuple[str, str]:
    if isinstance(value, datetime):
        return "moment", value.isoformat()
    if isinstance(value, UUID):
        return "id", str(value)
    return ("number", str(value)) if isinstance(value, int) else ("text", str(value))


_READ: dict[str, Callable[[str], Value]] = {
    "text": str,
    "number": int,
    "id": UUID,
    "moment": datetime.fromisoformat,
}
