import pytest

from tests.tenants import making

NIP = "526-000-12-46"


@pytest.mark.product("TEN-4", "TEN-16")
def test_a_company_is_made_and_gets_a_key_of_its_own(admin, account):
    made = admin.post(f"/accounts/{account.id}/companies", json={"name": " Dom  A", "nip": NIP})

    assert made.status_code == 201, made.json
    assert made.headers["Location"] == f"/api/v1/accounts/{account.id}/companies/{made.json['id']}"
    assert made.headers["ETag"] == '"1"'
    assert made.json["name"] == "Dom A"
    assert made.json["nip"] == "5260001246"
    found = admin.get(f"/accounts/{account.id}/companies/{made.json['id']}")
    assert found.json == made.json


def test_companies_are_listed_page_by_page(admin, account):
    for name in ("Beta", "Alfa", "Żubr"):
        making.a_company(account.id, name)

    first = admin.get(f"/accounts/{account.id}/companies?limit=3")

    assert [each["name"] for each in first.json["items"]] == ["Alfa", "Beta", "Zielony Dom"]
    assert first.json["total"] == 4
    link, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    second = admin.client.get(link.strip("<>"), headers={"Authorization": f"Bearer {admin.token}"})
    assert [each["name"] for each in second.json["items"]] == ["Żubr"]
    assert second.json["next"] is None
    assert "Link" not in second.headers
