from tenants.facts.service import Kind
from tenants.webhooks.catalogue import EXPLAINED


def test_everything_that_happens_in_an_account_is_explained():
    told_to_nobody = {kind for kind in Kind if kind.value.startswith("person.")}

    assert set(Kind) - set(EXPLAINED) == told_to_nobody
