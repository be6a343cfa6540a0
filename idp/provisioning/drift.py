"""What differs between what an application asked for and what there is. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tenants.members.assignments import Held, Wanted
from tenants.members.listing import MemberSummary
from tenants.members.rows import State

DETAILS = ("given_name", "family_name", "phone", "locale")


class Field(StrEnum):
    """What can differ."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    PHONE = "phone"
    LOCALE = "locale"
    EXTERNAL_ID = "external_id"
    ROLE = "role"
    STATE = "state"
    """Others blocked the membership, and it stays so."""


@dataclass(frozen=True)
class Drift:
    """One difference."""

    field: Field
    asked: str | None
    """For a role: until when it was wanted, `always`; None: it was not."""
    found: str | None
    role_id: UUID | None = None
    company: str | None = None
    repaired: bool = False


@dataclass(frozen=True)
class Intention:
    """How an application wants a membership: what it did not say, it leaves to the account."""

    details: Mapping[str, str | None]
    assignments: tuple[Wanted, ...] | None

    def noted(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "details": dict(self.details),
            "assignments": None
            if self.assignments is None
            else [
                {
                    "role_id": str(one.role_id),
                    "company": one.company,
                    "expires_at": one.expires_at.isoformat() if one.expires_at else None,
                }
                for one in self.assignments
            ],
        }

    @classmethod
    def of_note(cls, noted: Mapping[str, Any]) -> "Intention":
        """What was noted; of nothing: nothing was asked for."""
        assignments = noted.get("assignments")
        return cls(
            noted.get("details", {}),
            None if assignments is None else tuple(_wanted(one) for one in assignments),
        )


def compare(
    asked: Intention, found: MemberSummary, *, own: Collection[Held], by: str
) -> tuple[Drift, ...]:
    """The differences for the application that acts as `by`, which asked for this.

    Of the roles that nobody asked for only the application's own are its business; a block is what it
    asked for only if it set it.
    """
    is_kept_out = found.state is State.BLOCKED and found.blocked_by != by
    changed = [Drift(Field.STATE, State.ACTIVE, State.BLOCKED)] if is_kept_out else []
    changed += [
        Drift(Field(name), asked.details[name], getattr(found, name))
        for name in DETAILS
        if name in asked.details and asked.details[name] != getattr(found, name)
    ]
    if asked.assignments is None:
        return tuple(changed)
    return (*changed, *_roles(asked.assignments, found.assignments, own))


def _roles(
    wanted: Sequence[Wanted], held: Sequence[Held], own: Collection[Held]
) -> Iterable[Drift]:
    before = {one.place: one for one in held}
    after = {one.place: one for one in wanted}
    for place, one in after.items():
        found = before.get(place)
        if found is None or found.expires_at != one.expires_at:
            yield Drift(
                Field.ROLE,
                _until(one.expires_at),
                _until(found.expires_at) if found is not None else None,
                place.role_id,
                place.company,
            )
    for place, holding in before.items():
        if place not in after and holding in own:
            until = _until(holding.expires_at)
            yield Drift(Field.ROLE, None, until, place.role_id, place.company)


def _until(end: datetime | None) -> str:
    return "always" if end is None else end.isoformat()


def _wanted(noted: Mapping[str, Any]) -> Wanted:
    end = noted["expires_at"]
    return Wanted(
        UUID(noted["role_id"]),
        noted["company"],
        datetime.fromisoformat(end) if end is not None else None,
    )
