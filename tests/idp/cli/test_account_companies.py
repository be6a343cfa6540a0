"""`klucznik account companies` in front of a fresh database."""

import pytest

NIP = "1234563218"


@pytest.fixture
def account(ask):
    return ask("account", "create", "--name", "Alfa")["id"]


@pytest.mark.product("TEN-4")
def test_companies_are_created_edited_archived_and_restored(ask, account):
    made = ask("account", "companies", "create", account, "--name", "Beta", "--nip", NIP)
    key = made["id"]

    changed = ask("account", "companies", "change", account, key, "--name", "Gamma")
    assert (changed["name"], changed["nip"]) == ("Gamma", NIP)
    assert ask("account", "companies", "archive", account, key)["archived_at"]
    assert [one["id"] for one in ask("account", "companies", "list", account, "--archived")] == [
        key
    ]
    assert ask("account", "companies", "restore", account, key)["archived_at"] is None
    assert [one["name"] for one in ask("account", "companies", "list", account)] == [
        "Alfa",
        "Gamma",
    ]


def test_a_person_reads_a_table(run, ask, account):
    key = ask("account", "companies", "create", account, "--name", "Beta")["id"]

    told = run("account", "companies", "list", account).stdout
    assert "main" in told
    assert key in told
    assert [one["id"] for one in ask("account", "companies", "list", account, "--text", key)] == [
        key
    ]
    assert key in run("account", "companies", "change", account, key, "--town", "Łódź").stdout


@pytest.mark.parametrize("what", [["archive"], ["restore"], ["change", "--name", "Nasza"]])
def test_a_company_of_another_account_is_unknown(run, ask, account, what):
    other = ask("account", "create", "--name", "Inna")["id"]
    key = ask("account", "companies", "create", other, "--name", "Beta")["id"]

    run("account", "companies", what[0], account, key, *what[1:], status=1)
