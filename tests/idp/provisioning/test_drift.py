from datetime import UTC, datetime

import pytest

from idp.provisioning.drift import Drift, Field, Intention, compare
from kernel.ids import new_id
from tenants.members.assignments import Held, Wanted
from tenants.members.listing import MemberSummary
from tenants.members.service import MemberKind, State

pytestmark = pytest.mark.product("TEN-15")

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HERE, CRM = "a" * 16, "client:crm"
SELLING, OTHER = new_id(), new_id()


def held(role_id=SELLING, company=None, expires_at=None) -> Held:
    return Held(new_id(), role_id, "Sprzedaż", False, company, False, expires_at)


def a_member(*assignments: Held, **changes) -> MemberSummary:
    values = {
        "id": new_id(),
        "person_id": None,
        "kind": MemberKind.MEMBER,
        "state": State.ACTIVE,
        "email": "anna@example.com",
        "given_name": "Anna",
        "family_name": "Nowak",
        "phone": None,
        "locale": "pl",
        "signed_out_at": None,
        "version": 1,
        "created_at": NOON,
        "updated_at": NOON,
    } | changes
    return MemberSummary(**values, assignments=assignments)


def test_what_is_as_it_was_asked_for_is_no_drift():
    asked = Intention({"given_name": "Anna"}, (Wanted(SELLING, HERE, NOON),))

    assert compare(asked, a_member(role := held(SELLING, HERE, NOON)), own=[role], by=CRM) == ()


def test_what_was_not_said_is_left_to_the_account():
    role = held()

    assert compare(Intention({}, None), a_member(role), own=[role], by=CRM) == ()


@pytest.mark.parametrize("name", ["given_name", "family_name", "phone", "locale"])
def test_each_detail_that_was_said_is_compared(name):
    found = a_member(**{name: "as found"})

    drift = compare(Intention({name: "as asked"}, None), found, own=[], by=CRM)

    assert drift == (Drift(Field(name), "as asked", "as found"),)


def test_roles_differ_where_they_are_missing_extra_or_end_at_another_time():
    there, extra = held(SELLING, None), held(OTHER, HERE, NOON)
    asked = Intention({}, (Wanted(SELLING, None, NOON), Wanted(SELLING, HERE)))

    drift = compare(asked, a_member(there, extra), own=[there, extra], by=CRM)

    assert drift == (
        Drift(Field.ROLE, NOON.isoformat(), "always", SELLING, None),
        Drift(Field.ROLE, "always", None, SELLING, HERE),
        Drift(Field.ROLE, None, NOON.isoformat(), OTHER, HERE),
    )


@pytest.mark.security("12.4")
def test_roles_beyond_the_applications_power_are_none_of_its_business():
    assert compare(Intention({}, ()), a_member(held(OTHER)), own=[], by=CRM) == ()


@pytest.mark.parametrize(
    "asked",
    [
        Intention({}, None),
        Intention({"phone": None, "given_name": "Anna"}, ()),
        Intention({}, (Wanted(SELLING), Wanted(SELLING, HERE, NOON))),
    ],
)
def test_what_was_asked_for_is_noted_and_read_back(asked):
    assert Intention.of_note(asked.noted()) == asked


def test_nothing_noted_is_nothing_asked():
    assert Intention.of_note({}) == Intention({}, None)


@pytest.mark.parametrize("by", [None, "person:1", "operator", "client:another"])
def test_a_block_that_others_set_is_drift_and_the_applications_own_is_none(by):
    nothing = Intention({}, None)
    blocked = a_member(state=State.BLOCKED, blocked_by=by)
    own = a_member(state=State.BLOCKED, blocked_by=CRM)

    kept_out = (Drift(Field.STATE, "active", "blocked"),)
    assert compare(nothing, blocked, own=[], by=CRM) == kept_out
    assert compare(nothing, own, own=[], by=CRM) == ()
    assert compare(nothing, a_member(state=State.PENDING), own=[], by=CRM) == ()
