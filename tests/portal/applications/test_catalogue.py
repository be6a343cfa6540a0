from portal.applications import catalogue
from portal.settings import PortalSettings


def test_an_application_is_found_by_its_key():
    settings = PortalSettings(crm_url="https://crm.example")

    found = catalogue.find(settings, "crm")

    assert found is not None
    assert found.url == "https://crm.example/"
    assert catalogue.find(settings, "unknown") is None
