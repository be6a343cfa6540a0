"""Identifiers sort by the time that they were made at."""

from concurrent.futures import ThreadPoolExecutor

from kernel.ids import new_id


def test_they_are_in_the_order_of_the_calls():
    made = [new_id() for _ in range(10_000)]

    assert made == sorted(made)


def test_threads_never_get_the_same():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_id(), range(10_000)))

    assert len(set(made)) == len(made)


def test_they_are_uuids_of_version_seven():
    made = new_id()

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
