"""What the API reads it finds by an index: no list becomes slower with the number of accounts."""

import pytest

from tenants.database import db
from tests.isolation.estate import Estate, an_estate
from tests.isolation.requests import Described
from tests.plans import scanned
from tests.statements import asked_of
from tests.tenants.api.speaking import a_world

READS = [one for one in Described.all() if one.method == "GET" and "person" in one.taken]
# Small tables that belong to nobody: what applications there are, and what they declare.
WHOLE = {"cache_versions", "applications", "permissions"}


@pytest.fixture
def estate(identity_app) -> Estate:
    return an_estate(a_world(identity_app))


@pytest.mark.security("18.6")
@pytest.mark.parametrize("operation", READS, ids=lambda each: each.id)
def test_every_list_and_every_look_up_finds_its_rows_by_an_index(estate, operation):
    slots = {name: estate.slots[name] for name in operation.query_slots if name in estate.slots}
    with asked_of(db.engine) as asked:
        answer = operation.send(estate.admin, estate.slots, in_query=slots)

    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = {
        sql: tables for sql, values in asked.runs if (tables := scanned(sql, values, whole=WHOLE))
    }
    assert found == {}
