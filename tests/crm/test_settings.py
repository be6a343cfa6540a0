from crm.settings import CrmSettings


def test_without_an_address_the_database_is_a_file_at_home(tmp_path):
    settings = CrmSettings(home=tmp_path)

    assert settings.database_address == f"sqlite:///{tmp_path / 'crm.sqlite3'}"


def test_the_crm_is_registered_under_its_own_address():
    client = CrmSettings(crm_url="https://crm.example").client()

    assert client.client_id == "crm"
    assert client.redirect_uri == "https://crm.example/callback"
    assert client.signed_out_uri == "https://crm.example/signed-out"
