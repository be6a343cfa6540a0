from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from relying_party.context_switch import choices
from relying_party.context_switch.choices import Choice, WhyNot
from relying_party.errors import ApiUnreachable
from relying_party.grants.api_client import ApiAnswer


@pytest.mark.parametrize("answer", [None, {}, {"items": [{}]}, {"items": [{"account": 1}]}, []])
def test_accounts_told_in_another_way_are_an_api_that_can_not_be_understood(answer):
    with pytest.raises(ApiUnreachable):
        list(choices._choices(answer, "crm"))


TOLD = {
    "account": "0123456789ab",
    "name": "Dom i Ogród",
    "status": "active",
    "member_state": "active",
    "companies": [],
    "applications": ["crm"],
}


def account(**changes):
    (choice,) = choices._choices({"items": [TOLD | changes]}, "crm")
    return choice


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({}, None),
        ({"status": "suspended"}, WhyNot.SUSPENDED),
        ({"member_state": "pending"}, WhyNot.WAITING),
        ({"member_state": "blocked"}, WhyNot.BLOCKED),
        ({"member_state": None}, WhyNot.CLIENT),
        ({"applications": ["portal"]}, WhyNot.NOT_HERE),
    ],
)
def test_an_account_is_opened_only_where_everything_holds(changes, why_not):
    assert account(**changes).why_not == why_not
    assert account(**changes).may_open == (why_not is None)


def test_a_closed_account_is_not_there():
    assert list(choices._choices({"items": [TOLD | {"status": "closed"}]}, "crm")) == []


class Pages:
    """An API that tells of the accounts a few at a time."""

    def __init__(self, *pages):
        self.pages = list(pages)
        self.asked = []

    def get(self, session_id, path, parameters, *, context):
        self.asked.append(dict(parameters))
        items = self.pages.pop(0)
        following = f"after-{len(self.asked)}" if self.pages else None
        return ApiAnswer(200, {"items": items, "next": following})


class NoGrants:
    def contexts(self, session_id):
        return []


def read(api: Any) -> Sequence[Choice]:
    grants: Any = NoGrants()
    return choices.choices(grants, api, uuid4(), application="crm")


def test_accounts_are_read_to_the_end_of_the_list():
    api = Pages([TOLD, TOLD | {"account": "1" * 12}], [TOLD | {"account": "2" * 12}])

    found = read(api)

    assert [one.account for one in found] == ["0123456789ab", "1" * 12, "2" * 12]
    assert api.asked == [{"limit": "50"}, {"limit": "50", "cursor": "after-1"}]


def test_a_list_that_never_ends_is_not_read_for_ever():
    api = Pages(*([TOLD] for _ in range(1_000)))

    assert len(read(api)) == 40


OFFICE = account(
    name="Biuro Łąka", companies=[{"id": "1", "name": "Sad"}, {"id": "2", "name": "Żuk"}]
)
BLOCKED = account(
    account="ba9876543210", member_state="blocked", companies=[{"id": "3", "name": "Żuk 2"}]
)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("łąka", [OFFICE]),
        ("0123456789ab", [OFFICE]),
        ("0123", []),
        ("ŻUK", [replace(OFFICE, companies=(("2", "Żuk"),))]),
        ("ogród", [BLOCKED]),
    ],
)
def test_an_account_is_found_by_its_name_its_id_and_its_companies(search, found):
    assert choices.matching([OFFICE, BLOCKED], search) == found
