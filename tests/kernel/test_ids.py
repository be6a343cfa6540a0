"""Identifiers sort by the time that they were made at."""

import time

from kernel.ids import new_id


def test_later_ones_sort_later() -> None:
    first = new_id()
    time.sleep(0.002)

    assert first < new_id()


def test_they_are_uuids_of_version_seven() -> None:
    made = new_id()

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
