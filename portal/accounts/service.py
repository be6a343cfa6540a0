"""Creating an account, through the identity program's API."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from relying_party.context_switch import choices
from relying_party.errors import ApiUnreachable
from relying_party.grants.api_client import ApiClient
from relying_party.grants.service import Grants

_ACCOUNTS = "/v1/accounts"


@dataclass(frozen=True)
class Made:
    """An account that is there now."""

    id: str
    name: str


@dataclass(frozen=True)
class NotMade:
    """Which fields were refused; none: too many accounts were made in a short time."""

    fields: frozenset[str]


def create(
    grants: Grants, api: ApiClient, session_id: UUID, wanted: dict[str, Any], *, key: str
) -> Made | NotMade:
    """Create it for the person of the session; raises ApiUnreachable and what tokens raise."""
    context = choices.any_context(grants, session_id)
    answer = api.post(session_id, _ACCOUNTS, wanted, key=key, context=context)
    try:
        if answer.is_success:
            return Made(answer.value["id"], answer.value["name"])
        if answer.status == 429:
            return NotMade(frozenset())
        if answer.status == 422:
            faults = answer.value["errors"]
            return NotMade(frozenset(one["pointer"].removeprefix("/") for one in faults))
    except (KeyError, TypeError, AttributeError) as malformed:
        raise ApiUnreachable("the API answers in another way") from malformed
    raise ApiUnreachable(f"the API answered {answer.status}")
