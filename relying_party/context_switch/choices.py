"""Which accounts somebody may work in, as the identity program's API tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.i18n import gettext as _
from relying_party.contexts.context import PERSON, Context
from relying_party.errors import ApiUnreachable
from relying_party.grants.api_client import ApiClient
from relying_party.grants.service import Grants

CONTEXTS = "/v1/me/contexts"
PERMISSIONS = "/v1/me/permissions"
_ACCOUNTS = "accounts"
_CLOSED = "closed"
# Each account brings its companies along: fifty are a page that is answered at once.
_A_PAGE = 50
_MOST_PAGES = 40


class WhyNot(StrEnum):
    """Why an application can't be opened in an account that somebody belongs to."""

    WAITING = "waiting"
    """The person has been added and has not accepted yet."""
    BLOCKED = "blocked"
    CLIENT = "client"
    """A client of the account, and no user of it."""
    SUSPENDED = "suspended"
    """The account itself."""
    NOT_HERE = "not-here"
    """The account has not got the application."""


@dataclass(frozen=True)
class Choice:
    """An account to work in, with the companies that one may choose instead of the whole."""

    account: str
    name: str
    why_not: WhyNot | None
    """None: the application can be opened there."""
    companies: tuple[tuple[str, str], ...]
    """Ids and names."""

    @property
    def may_open(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class Permitted:
    """What somebody may do in one application of an account."""

    id: str
    application: str
    permissions: tuple[str, ...]
    """In words, in the language that was asked for."""


def choices(grants: Grants, api: ApiClient, session_id: UUID, *, application: str) -> list[Choice]:
    """Every account of the person, by name; raises ApiUnreachable and what tokens raise."""
    context = any_context(grants, session_id)
    found: list[Choice] = []
    asked = {"limit": str(_A_PAGE)}
    for _page in range(_MOST_PAGES):
        answer = api.get(session_id, CONTEXTS, asked, context=context)
        if not answer.is_success:
            raise ApiUnreachable(f"the API answered {answer.status}")
        found += _choices(answer.value, application)
        if answer.value.get("next") is None:
            break
        asked["cursor"] = answer.value["next"]
    return found


def matching(known: Sequence[Choice], search: str) -> list[Choice]:
    """Those whose name or id is meant; where only companies are, with those alone."""
    wanted = search.casefold()
    found = []
    for one in known:
        companies = tuple(each for each in one.companies if wanted in each[1].casefold())
        if wanted in one.name.casefold() or wanted == one.account:
            found.append(one)
        elif companies and one.may_open:
            found.append(replace(one, companies=companies))
    return found


def permitted(
    api: ApiClient, session_id: UUID, context: Context, *, language: str
) -> list[Permitted]:
    """What the person may do in this context, by application: every one that the account has."""
    answer = api.get(session_id, PERMISSIONS, context=context)
    if not answer.is_success:
        raise ApiUnreachable(f"the API answered {answer.status}")
    try:
        return [
            Permitted(
                group["id"],
                # The identity program's own is no name of a product: it is said in words.
                _("Company account") if group["id"] == _ACCOUNTS else group["name"],
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
            if account["status"] != _CLOSED:
                yield Choice(
                    account=account["account"],
                    name=account["name"],
                    why_not=_why_not(account, application),
                    companies=tuple((each["id"], each["name"]) for each in account["companies"]),
                )
    except (KeyError, TypeError) as malformed:
        raise ApiUnreachable("the API tells accounts in another way") from malformed


def _why_not(account: dict[str, Any], application: str) -> WhyNot | None:
    state = account["member_state"]
    if account["status"] != "active":
        return WhyNot.SUSPENDED
    if state == "pending":
        return WhyNot.WAITING
    if state == "blocked":
        return WhyNot.BLOCKED
    if state is None:
        return WhyNot.CLIENT
    return None if application in account["applications"] else WhyNot.NOT_HERE
