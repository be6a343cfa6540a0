"""`klucznik account` in front of a fresh database."""

import csv
import io
import json

import pytest

NIP = "1234563218"


@pytest.fixture
def anna(ask):
    return ask("person", "create", "--email", "anna@example.com", "--given-name", "Anna")["email"]


@pytest.fixture
def account(ask, anna):
    return ask("account", "create", "--name", "Alfa", "--nip", NIP, "--admin", anna)["id"]


@pytest.fixture
def crm(ask, tmp_path):
    """The id of an application that an account can be given."""
    file = tmp_path / "crm.json"
    file.write_text(json.dumps(A_CRM), encoding="utf-8")
    return ask("application", "declare", str(file))["application"]


A_CRM = {
    "id": "crm",
    "name": "CRM",
    "audience": "https://crm.example",
    "context": "account",
    "permissions": [
        {"name": "contacts:read", "label_en": "See contacts", "label_pl": "Podgląd kontaktów"}
    ],
}


def rows_of(run, account, *words):
    return [
        json.loads(line) for line in run("account", "audit", account, *words).stdout.splitlines()
    ]


@pytest.mark.product("TEN-1", "TEN-2")
def test_an_account_is_created_for_somebody(ask, anna):
    made = ask(
        *("account", "create", "--name", "Alfa", "--nip", "123-456-32-18", "--admin", anna),
        *("--office", "--street", "Polna 7", "--postcode", "00-950", "--town", "Łódź"),
    )

    assert (made["name"], made["nip"], made["town"]) == ("Alfa", NIP, "Łódź")
    assert made["is_accounting_office"]
    assert (made["companies"], made["users"]) == (1, 1)
    (user,) = ask("account", "users", made["id"])
    assert (user["email"], user["state"]) == (anna, "active")
    assert user["assignments"][0]["is_admin"]


def test_who_has_no_id_gets_one_with_the_account(ask):
    made = ask("account", "create", "--name", "Alfa", "--admin", "jan@example.com")

    assert [user["email"] for user in ask("account", "users", made["id"])] == ["jan@example.com"]
    assert ask("person", "show", "jan@example.com")["activated"] is False


def test_what_is_described_wrongly_is_not_created(run, ask):
    run("account", "create", "--name", "Alfa", "--nip", "1234563219", status=1)

    assert ask("account", "list") == []


def test_accounts_are_listed_by_name_and_searched(ask, account):
    other = ask("account", "create", "--name", "beta")["id"]

    assert [one["id"] for one in ask("account", "list")] == [account, other]
    assert [one["id"] for one in ask("account", "list", "--text", "BET")] == [other]
    assert [one["id"] for one in ask("account", "list", "--text", NIP)] == [account]
    assert ask("account", "list", "--status", "suspended") == []
    assert ask("account", "list", "--flagged") == []


def test_a_person_reads_a_table(run, account, anna):
    assert account in run("account", "list").stdout
    assert anna in run("account", "users", account).stdout
    assert "admin" in run("account", "users", account).stdout
    assert "Alfa" in run("account", "show", account).stdout


@pytest.mark.product("TEN-2")
def test_an_account_is_changed(ask, run, account):
    changed = ask("account", "change", account, "--town", "Gdynia", "--nip", "", "--no-office")

    assert (changed["town"], changed["nip"], changed["version"]) == ("Gdynia", None, 2)
    run("account", "change", account, "--town", "Sopot", "--version", "1", status=1)
    run("account", "change", account, status=2)


def test_an_account_is_suspended_and_resumed(ask, account):
    assert ask("account", "suspend", account, "--reason", "unpaid")["status"] == "suspended"
    assert [one["id"] for one in ask("account", "list", "--status", "suspended")] == [account]
    assert ask("account", "resume", account)["status"] == "active"


@pytest.mark.product("TEN-1")
def test_an_account_gets_a_new_person_as_its_admin_beside_the_old_one(ask, run, account, anna):
    run("account", "hand-over", account, "jan@example.com", status=1)

    handed = ask("account", "hand-over", account, "jan@example.com", "--add")

    assert handed["users"] == 2
    admins = {
        user["email"]
        for user in ask("account", "users", account)
        if user["assignments"][0]["is_admin"]
    }
    assert admins == {anna, "jan@example.com"}


def test_an_account_is_handed_over_to_a_user_of_it(run, ask, account, anna):
    ask("account", "hand-over", account, anna)

    (row,) = rows_of(run, account, "--event", "account:handed-over")
    assert row["actor"] == "operator"


def test_the_old_admin_stays_until_a_new_one_has_accepted(run, ask, account, anna):
    ask("person", "create", "--email", "jan@example.com")

    run(
        *("account", "hand-over", account, "jan@example.com", "--add", "--instead-of", anna),
        status=2,
    )

    (still,) = ask("account", "users", account)
    assert (still["email"], still["assignments"][0]["is_admin"]) == (anna, True)
    assert rows_of(run, account, "--event", "account:handed-over") == []


def test_an_account_is_closed_for_good(ask, run, account):
    run("account", "close", account, status=1)

    assert ask("account", "close", account, "--yes")["status"] == "closed"
    run("account", "resume", account, status=1)


@pytest.mark.product("TEN-17")
def test_an_account_is_given_an_application_and_it_is_taken_away(ask, run, account, crm):
    assert ask("account", "show", account)["applications"] == []

    assert ask("account", "give-application", account, crm)["applications"] == [crm]
    assert ask("account", "take-application", account, crm)["applications"] == []
    run("account", "give-application", account, "unknown", status=1)


@pytest.mark.product("TEN-13")
def test_the_audit_trail_of_an_account_is_written_out(run, account):
    run("account", "suspend", account, "--reason", "unpaid")

    rows = rows_of(run, account)

    assert [row["event"] for row in rows][:2] == ["account:audit:exported", "account:suspended"]
    assert rows[1]["actor"] == "operator"
    assert rows[1]["details"] == {"reason": "unpaid"}
    assert [row["event"] for row in rows_of(run, account, "--event", "company")] == [
        "company:created"
    ]
    assert rows_of(run, account, "--before", "2020-01-01") == []


@pytest.mark.product("TEN-13")
def test_the_audit_trail_is_written_out_for_a_spreadsheet(run, account):
    text = run("account", "audit", account, "--csv", "--event", "account:created").stdout

    assert [row["event"] for row in csv.DictReader(io.StringIO(text))] == ["account:created"]


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["users"],
        ["audit"],
        ["suspend"],
        ["resume"],
        ["close", "--yes"],
        ["change", "--town", "Łódź"],
    ],
)
def test_an_unknown_account_is_said_to_be_unknown(run, words):
    failed = run("account", words[0], "0123456789ab", *words[1:], status=1)

    assert "no account 0123456789ab" in str(failed.exception)


@pytest.mark.product("TEN-5")
def test_a_configuration_is_written_to_a_file_and_brought_back(run, ask, account, tmp_path):
    file = tmp_path / "alfa.json"
    file.write_text(run("account", "export-configuration", account).stdout, encoding="utf-8")
    ask("account", "change", account, "--name", "Beta")
    other = ask("account", "create", "--name", "Gamma")["id"]

    run("account", "import-configuration", other, str(file), status=1)
    assert "yes" in run("account", "import-configuration", account, str(file)).stdout
    assert not ask("account", "import-configuration", account, str(file))["details"]
    assert ask("account", "show", account)["name"] == "Alfa"
