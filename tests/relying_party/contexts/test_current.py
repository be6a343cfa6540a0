import pytest

from relying_party.contexts.context import Context
from relying_party.contexts.current import Facts, Work, remember, work, work_or_none


def test_permissions_are_what_the_provider_said():
    here = Work(Context("0123456789ab"), Facts(permissions=frozenset({"contacts:read"})))

    assert here.may("contacts:read")
    assert not here.may("contacts:write")


def test_a_request_knows_its_context_once_the_guard_has_said_so(app):
    with app.test_request_context():
        assert work_or_none() is None
        with pytest.raises(LookupError):
            work()
        here = Work(Context("0123456789ab"), Facts())
        remember(here)
        assert work() is here


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (Facts(account_name="Biuro Lis", company_name="Piekarnia Kłos"), "Piekarnia Kłos"),
        (Facts(account_name="Biuro Lis"), "Biuro Lis"),
        (Facts(), "0123456789ab"),
    ],
)
def test_it_is_called_as_the_narrowest_that_has_a_name(facts: Facts, name: str):
    assert Work(Context("0123456789ab"), facts).name == name
