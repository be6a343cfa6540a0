import pytest

from relying_party.context_switch import choices
from relying_party.errors import ApiUnreachable


@pytest.mark.parametrize("answer", [None, {}, {"items": [{}]}, {"items": [{"account": 1}]}, []])
def test_accounts_told_in_another_way_are_an_api_that_can_not_be_understood(answer):
    with pytest.raises(ApiUnreachable):
        list(choices._choices(answer, "crm"))


def account(**changes):
    told = {
        "account": "0123456789ab",
        "name": "Dom i Ogród",
        "status": "active",
        "member_state": "active",
        "companies": [],
        "applications": ["crm"],
    } | changes
    (choice,) = choices._choices({"items": [told]}, "crm")
    return choice


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "suspended"},
        {"member_state": "blocked"},
        {"member_state": None},
        {"applications": ["portal"]},
    ],
)
def test_an_account_is_opened_only_where_everything_holds(changes):
    assert account().may_open
    assert not account(**changes).may_open


def test_who_has_not_accepted_yet_waits():
    assert account(member_state="pending").is_waiting
    assert not account(member_state="pending").may_open
