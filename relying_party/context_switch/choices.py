"""Which accounts somebody may work in, as the identity program's API tells it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from relying_party.contexts.context import PERSON, Context
from relying_party.errors import ApiUnreachable
from relying_party.grants.api_client import ApiClient
from relying_party.grants.service import Grants

CONTEXTS = "/v1/me/contexts"
PERMISSIONS = "/v1/me/permissions"


@dataclass(frozen=True)
class Choice:
    """An account to work in, with the companies that one may choose instead of the whole."""

    account: str
    name: str
    may_open: bool
    """Whether this application can be opened there."""
    is_waiting: bool
    """Whether the person has been added and has not accepted yet."""
    companies: tuple[tuple[str, str], ...]
    """Ids and names."""


@dataclass(frozen=True)
class Permitted:
    """What somebody may do in one application."""

    application: str
    permissions: tuple[str, ...]
    """In words, in the language that was asked for."""


def choices(grants: Grants, api: ApiClient, session_id: UUID, *, application: str) -> list[Choice]:
    """Every account of the person, by name; raises ApiUnreachable and what tokens raise."""
    answer = api.get(session_id, CONTEXTS, context=any_context(grants, session_id))
    if not answer.is_success:
        raise ApiUnreachable(f"the API answered {answer.status}")
    return sorted(_choices(answer.value, application), key=lambda one: one.name.casefold())


def permitted(
    api: ApiClient, session_id: UUID, context: Context, *, language: str
) -> list[Permitted]:
    """What the person may do in this context, by application."""
    answer = api.get(session_id, PERMISSIONS, context=context)
    if not answer.is_success:
        raise ApiUnreachable(f"the API answered {answer.status}")
    try:
        return [
            Permitted(
                group["name"],
                tuple(each["labels"][language] for each in group["permissions"]),
            )
            for group in answer.value["applications"]
        ]
    except (KeyError, TypeError) as malformed:
        raise ApiUnreachable("the API tells permissions in another way") from malformed


def any_context(grants: Grants, session_id: UUID) -> Context:
    """A context that the session has a grant for, for what needs none."""
    held = grants.contexts(session_id)
    return held[0] if held and PERSON not in held else PERSON


def _choices(value: Any, application: str) -> Iterator[Choice]:
    try:
        for account in value["items"]:
            yield Choice(
                account=account["account"],
                name=account["name"],
                may_open=account["status"] == "active"
                and account["member_state"] == "active"
                and application in account["applications"],
                is_waiting=account["member_state"] == "pending",
                companies=tuple((each["id"], each["name"]) for each in account["companies"]),
            )
    except (KeyError, TypeError) as malformed:
        raise ApiUnreachable("the API tells accounts in another way") from malformed
