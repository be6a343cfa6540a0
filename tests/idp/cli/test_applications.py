"""`klucznik application` in front of a fresh database."""

import json

import pytest

PERMISSION = {
    "name": "contacts:read",
    "label_en": "See contacts",
    "label_pl": "Podgląd kontaktów",
}
A_CRM = {
    "id": "crm",
    "name": "CRM",
    "audience": "https://crm.example",
    "context": "account",
    "permissions": [PERMISSION],
}


@pytest.fixture
def crm(ask, tmp_path):
    file = tmp_path / "crm.json"
    file.write_text(json.dumps(A_CRM), encoding="utf-8")
    return ask("application", "declare", str(file))["application"]


@pytest.mark.product("OP-4")
def test_an_application_declares_its_permissions_from_a_file(ask, run, crm, tmp_path):
    (one,) = ask("application", "list")

    assert one["permissions"] == [{**PERMISSION, "level": "company"}]
    assert "contacts:read" in run("application", "list").stdout
    again = ask("application", "declare", str(tmp_path / "crm.json"))
    assert again == {"application": "crm", "changed": False}


@pytest.mark.parametrize(
    "wrong", ["{", "[]", json.dumps({**A_CRM, "colour": "red"}), json.dumps({**A_CRM, "id": 7})]
)
def test_a_file_that_is_no_declaration_is_refused(run, tmp_path, wrong):
    file = tmp_path / "wrong.json"
    file.write_text(wrong)

    run("application", "declare", str(file), status=2)
