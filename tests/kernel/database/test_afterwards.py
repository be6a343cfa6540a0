"""What waits for a commit happens once, after it, and not after a rollback."""

import pytest

from kernel.database import after_commit
from tests.kernel.tables import db

pytestmark = pytest.mark.usefixtures("kernel_app")


@pytest.fixture(params=["transaction", "hot_transaction"])
def begin(request):
    return getattr(db, request.param)


def test_what_waits_happens_after_the_commit_and_once(begin):
    seen: list[str] = []

    with begin() as transaction:
        after_commit(transaction, lambda: seen.append("one"))
        after_commit(transaction, lambda: seen.append("other"))
        assert seen == []

    assert seen == ["one", "other"]


def test_it_may_begin_a_transaction_itself(begin):
    seen: list[str] = []

    def again() -> None:
        with begin():
            seen.append("again")

    with begin() as transaction:
        after_commit(transaction, again)

    assert seen == ["again"]


def test_nothing_happens_after_a_rollback(begin):
    seen: list[str] = []

    def fail() -> None:
        with begin() as transaction:
            after_commit(transaction, lambda: seen.append("never"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert seen == []
