import pytest

from idp.credentials.new_password import why_refuse, why_refuse_to
from idp.credentials.password import Problem
from tenants.database import db
from tenants.people import service as people
from tests import programs


@pytest.mark.security("1.1")
def test_the_setting_decides_on_the_least_length(make_database):
    for _app in programs.identity(make_database, password_min_length=20):
        assert why_refuse("trzy zielone lampy", context=[]) is Problem.TOO_SHORT


def test_a_good_password_is_taken(identity_app):
    assert why_refuse("trzy zielone lampy", context=["anna@example.com"]) is None


@pytest.mark.security("1.4")
@pytest.mark.parametrize("own", ["anna.nowakowska@example.com", "Aleksandra Nowakowska"])
def test_a_person_chooses_neither_the_address_nor_the_name(identity_app, now, own):
    with db.transaction() as session:
        person = people.create(
            session,
            email="anna.nowakowska@example.com",
            given_name="Aleksandra",
            family_name="Nowakowska",
            now=now,
        )

    assert why_refuse_to(person, own) is not None
    assert why_refuse_to(person, "trzy zielone lampy nad morzem") is None
