"""What an account sees of a membership's state, as a table."""

import pytest

from tenants.members.rows import MemberKind, State, shown_state
from tests.conftest import NOON


@pytest.mark.product("TEN-6")
@pytest.mark.security("2.4")
@pytest.mark.parametrize(
    ("kind", "state", "accepted_at", "shown"),
    [
        (MemberKind.MEMBER, State.PENDING, None, State.PENDING),
        # Nobody had this address, and nobody came: it looks the same.
        (MemberKind.MEMBER, State.ACTIVE, None, State.PENDING),
        (MemberKind.MEMBER, State.ACTIVE, NOON, State.ACTIVE),
        (MemberKind.MEMBER, State.BLOCKED, None, State.BLOCKED),
        (MemberKind.CLIENT, State.ACTIVE, None, State.ACTIVE),
        (MemberKind.CLIENT, State.BLOCKED, None, State.BLOCKED),
    ],
)
def test_a_member_is_pending_until_they_came(kind, state, accepted_at, shown):
    assert shown_state(kind, state, accepted_at) is shown
