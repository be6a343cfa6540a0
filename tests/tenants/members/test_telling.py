"""How a change of roles is told."""

import pytest

from kernel.ids import new_id
from tenants.members import telling
from tenants.members.assignments import Difference, Wanted
from tests.conftest import NOON


@pytest.mark.product("TEN-13")
def test_a_change_of_roles_tells_what_changed_and_nothing_else():
    given, taken = Wanted(new_id(), "c" * 16, NOON), Wanted(new_id())

    told = telling.words(Difference(given=(given,), prolonged=(), taken=(taken,)))

    assert told == {
        "given": [{"role": given.role_id, "company": "c" * 16, "expires_at": NOON}],
        "taken": [{"role": taken.role_id, "company": None, "expires_at": None}],
    }
