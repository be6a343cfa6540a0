import pytest
from pydantic import ValidationError

from portal.settings import PortalSettings


def test_without_an_address_the_database_is_a_file_at_home(tmp_path):
    settings = PortalSettings(home=tmp_path)

    assert settings.database_address == f"sqlite:///{tmp_path / 'portal.sqlite3'}"


def test_the_portal_is_registered_under_its_own_address():
    client = PortalSettings(portal_url="https://portal.example").client()

    assert client.client_id == "portal"
    assert client.redirect_uri == "https://portal.example/callback"
    assert client.signed_out_uri == "https://portal.example/signed-out"


@pytest.mark.security("14.1")
@pytest.mark.parametrize("address", ["javascript:alert(1)", "shop.example", "//shop.example"])
def test_links_of_the_operator_lead_to_the_web(address):
    with pytest.raises(ValidationError):
        PortalSettings(shop_url=address)
