"""A transaction is for one thing, or for none."""

import pytest

from kernel.database.scopes import Scope
from kernel.ids import new_id

pytestmark = pytest.mark.security("13.3", "13.4")


@pytest.mark.parametrize(
    "both",
    [
        {"tenant": "0123456789ab", "everywhere": True},
        {"tenant": "0123456789ab", "person": new_id()},
        {"person": new_id(), "everywhere": True},
    ],
)
def test_a_transaction_is_for_one_thing(both) -> None:
    with pytest.raises(ValueError, match="one tenant"):
        Scope(**both)
