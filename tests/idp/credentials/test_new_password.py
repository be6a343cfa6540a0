import pytest

from idp.credentials.new_password import why_refuse
from idp.credentials.password import Problem
from tests import programs


@pytest.mark.security("1.1")
def test_the_setting_decides_on_the_least_length(make_database):
    for _app in programs.identity(make_database, password_min_length=20):
        assert why_refuse("trzy zielone lampy", context=[]) is Problem.TOO_SHORT


def test_a_good_password_is_taken(identity_app):
    assert why_refuse("trzy zielone lampy", context=["anna@example.com"]) is None
