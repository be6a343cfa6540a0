"""Cleaning goes on until nothing is left to clean."""

import pytest

from kernel.jobs import until_done


@pytest.mark.security("18.7")
@pytest.mark.parametrize(
    ("batches", "removed"), [([0], 0), ([7], 7), ([500, 500, 3], 1_003), ([500, 0], 500)]
)
def test_batches_are_removed_until_one_is_not_full(batches, removed):
    waiting = iter(batches)

    assert until_done(lambda: next(waiting)) == removed
    assert list(waiting) == []
