from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ledger import digests

KEYS = digests.keys_from(b"l" * 32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, JSON)
def test_two_values_have_one_spelling_only_when_they_are_the_same(one, other):
    same = repr(one) == repr(other)

    if digests.canonical(one) == digests.canonical(other):
        # Order within a mapping does not count; everything else does.
        assert same or one == other
    else:
        assert not same


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_a_mapping_does_not_change_its_spelling(mapping):
    backwards = dict(reversed(mapping.items()))

    assert digests.canonical(mapping) == digests.canonical(backwards)


@given(JSON)
def test_a_spelling_is_plain_ascii_in_one_line(value):
    spelled = digests.canonical(value)

    assert spelled.isascii()
    assert spelled.isprintable()


def test_a_moment_is_spelled_alike_in_every_time_zone():
    utc = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    warsaw = utc.astimezone(timezone(timedelta(hours=2)))

    assert (
        digests.canonical(utc) == digests.canonical(warsaw) == '"2026-06-01T12:00:00.000000+00:00"'
    )


def test_identifiers_and_bytes_have_a_spelling():
    assert digests.canonical([UUID(int=1), b"\xff"]) == (
        '["00000000-0000-0000-0000-000000000001","ff"]'
    )


@pytest.mark.parametrize("value", [object(), {1.5, 2}, float("nan")])
def test_what_has_no_spelling_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        digests.canonical(value)


def test_every_secret_has_keys_of_its_own_and_each_key_one_job():
    other = digests.keys_from(b"m" * 32)

    mine = [KEYS.rows, KEYS.links, KEYS.heads, KEYS.signing.private_bytes_raw()]
    theirs = [other.rows, other.links, other.heads, other.signing.private_bytes_raw()]
    assert len({*mine, *theirs}) == 8


def test_a_link_depends_on_what_came_before_and_on_its_place():
    place: dict[str, Any] = {
        "previous": digests.START,
        "chain": "person:a",
        "sequence": 1,
        "head": 1,
        "sealed_at": datetime(2026, 6, 1, tzinfo=UTC),
        "mac": b"m" * 32,
    }

    links = {
        digests.link(KEYS, **place | change)
        for change in (
            {},
            {"previous": b"p" * 32},
            {"chain": "person:b"},
            {"sequence": 2},
            {"head": 2},
            {"sealed_at": datetime(2026, 6, 2, tzinfo=UTC)},
            {"mac": b"n" * 32},
        )
    }

    assert len(links) == 7


def test_the_digest_of_personal_fields_can_not_be_tried_out_without_the_salt():
    fields = '{"address":"192.0.2.1"}'

    assert digests.personal_digest(digests.new_salt(), fields) != digests.personal_digest(
        digests.new_salt(), fields
    )
