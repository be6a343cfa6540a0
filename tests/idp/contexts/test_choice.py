"""What a flow says of its context, and how strict an account makes a sign-in."""

from datetime import timedelta

import pytest

from idp.contexts.choice import NOWHERE, Asked, Resolved, as_strong_as, asked_in, lacks_company
from idp.protocol import acr
from idp.protocol.acr import Wanted
from tests.conftest import NOON
from tests.tenants.standing.test_scope import a_standing


@pytest.mark.parametrize(
    ("asked", "context", "is_needed"),
    [
        (Asked(), "none", False),
        (Asked(), "account", True),
        (Asked(), "company", True),
        (Asked(account="a"), "none", True),
    ],
)
def test_a_context_is_needed_where_one_is_asked_for_or_the_application_wants_it(
    asked, context, is_needed
):
    assert asked.is_needed_for(context) == is_needed


def test_a_flow_keeps_what_was_asked_and_what_was_chosen():
    chosen = {"account": "b", "company": "d"}

    assert asked_in({"account": "a", "company": "c"}) == Asked("a", "c")
    assert asked_in({"context_answer": chosen}) == Asked(chosen_account="b", chosen_company="d")
    # Begun before an upgrade.
    assert asked_in({}) == Asked()
    assert asked_in({"context_answer": "refused"}) == Asked()


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("wanted", "changes", "stricter"),
    [
        (Wanted(), {}, Wanted()),
        (Wanted(), {"wants_strong": True}, Wanted(acr=(acr.TWO_FACTOR,))),
        (
            Wanted(acr=acr.LOWEST_FIRST),
            {"wants_strong": True},
            Wanted(acr=(acr.TWO_FACTOR,)),
        ),
        (Wanted(), {"sign_in_hours": 2}, Wanted(max_age=7_200)),
        (Wanted(max_age=60), {"sign_in_hours": 2}, Wanted(max_age=60)),
        (Wanted(max_age=9_000), {"sign_in_hours": 2}, Wanted(max_age=7_200)),
        (Wanted(), {"signed_out_at": NOON}, Wanted(after=NOON)),
    ],
)
def test_the_stricter_of_request_and_account_holds(wanted, changes, stricter):
    standing = a_standing(**changes)

    assert as_strong_as(wanted, standing, None) == stricter
    assert Resolved(standing).strengthened(wanted) == stricter
    assert NOWHERE.strengthened(wanted) is wanted


@pytest.mark.parametrize(("since", "is_recent"), [(-1, True), (0, False), (1, False)])
def test_a_sign_in_counts_that_came_after_the_account_ended_all(since, is_recent):
    wanted = Wanted(after=NOON + timedelta(seconds=since))

    found = wanted.is_recent(NOON, flow_began_at=NOON - timedelta(hours=1), again=False, now=NOON)

    assert found == is_recent


def test_a_company_is_lacking_only_where_one_is_needed():
    assert lacks_company("company", None)
    assert not lacks_company("company", "c")
    assert not lacks_company("account", None)
