"""`klucznik person import`: what it answers, what it writes, how it ends."""

import json

import pytest

from tests.idp.credentials.vectors import BCRYPT

HEADER = "email,password_hash,given_name\n"


@pytest.fixture
def a_file(tmp_path):
    """`a_file("people.csv", "email\\n…")`: its name."""

    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.mark.product("ID-8")
def test_a_csv_is_imported_and_summed_up(run, ask, a_file):
    file = a_file("people.csv", f"{HEADER}anna@example.com,{BCRYPT},Anna\njan@example.com,,\n")

    answer = ask("person", "import", file)

    assert (answer["created"], answer["skipped"], answer["refused"]) == (2, 0, 0)
    assert answer["passwords"] == {"bcrypt": 1, "none": 1}
    assert ask("person", "show", "anna@example.com")["factors"]["password"] is True
    assert "Created" in run("person", "import", file).stdout


def test_json_lines_are_known_by_the_name_of_the_file(ask, a_file):
    file = a_file("people.jsonl", json.dumps({"email": "anna@example.com", "id": 7}) + "\n")

    answer = ask("person", "import", file)

    assert (answer["created"], answer["not_used"]) == (1, ["id"])


def test_a_format_can_be_named(ask, a_file):
    file = a_file("export.txt", '{"email": "anna@example.com"}\n')

    assert ask("person", "import", file, "--format", "jsonl")["created"] == 1


@pytest.mark.parametrize("options", [[], ["--strict"]])
def test_a_dash_reads_standard_input(run, options):
    result = run("person", "import", "-", *options, "--json", stdin=f"{HEADER}anna@example.com,,\n")

    assert json.loads(result.stdout)["created"] == 1


def test_a_dry_run_writes_nothing(ask, run, a_file):
    file = a_file("people.csv", f"{HEADER}anna@example.com,,\n")

    assert ask("person", "import", file, "--dry-run")["created"] == 1
    assert "Would be created" in run("person", "import", file, "--dry-run").stdout
    run("person", "show", "anna@example.com", status=1)


def test_refused_rows_are_named_and_end_with_1(run, a_file):
    file = a_file("people.csv", f"{HEADER}anna@example.com,,\nnobody,,\n")

    result = run("person", "import", file, status=1)

    assert "line 3: email: not an e-mail address" in result.stderr
    assert "Created" in result.stdout


def test_strict_imports_nothing_if_a_row_is_refused(run, ask, a_file):
    file = a_file("people.csv", f"{HEADER}anna@example.com,,\nnobody,,\n")

    run("person", "import", file, "--strict", status=1)

    run("person", "show", "anna@example.com", status=1)
    assert ask("person", "import", file, "--dry-run", status=1)["created"] == 1


def test_a_file_that_can_not_be_read_ends_with_2(run, a_file):
    file = a_file("people.csv", b"email\n\xff\xfe\n")

    result = run("person", "import", file, status=2)

    assert "line 2 is not UTF-8" in result.stderr


def test_only_the_first_refusals_are_shown_and_the_rest_is_counted(run, a_file):
    file = a_file("people.csv", "email\n" + "nobody\n" * 30)

    result = run("person", "import", file, status=1)

    assert result.stderr.count("! line") == 10
    assert "30 rows in all" in result.stderr


def test_the_report_has_every_row(run, a_file, tmp_path):
    file = a_file("people.csv", "email,id\nanna@example.com,1\nANNA@example.com,2\n=1+1,3\n")
    as_csv, as_json = tmp_path / "report.csv", tmp_path / "report.jsonl"

    run("person", "import", file, "--dry-run", "--report", str(as_csv), status=1)
    result = run("person", "import", file, "--report", str(as_json), status=1)

    assert as_csv.read_text().splitlines() == [
        "line,email,outcome,reason",
        "3,ANNA@example.com,skipped,the same address as in line 2",
        "4,'=1+1,refused,email: not an e-mail address",
        "2,anna@example.com,created,",
    ]
    assert [json.loads(line)["outcome"] for line in as_json.read_text().splitlines()] == [
        "skipped",
        "refused",
        "created",
    ]
    assert "Not used: id" in result.stderr


@pytest.mark.security("1.5")
def test_no_answer_ever_shows_a_hash(run, a_file, tmp_path):
    dear = "$2b$31$" + "k" * 53
    file = a_file("people.csv", f"{HEADER}anna@example.com,{dear},\njan@example.com,{BCRYPT},\n")
    report = tmp_path / "report.csv"

    result = run("person", "import", file, "--report", str(report), status=1)

    said = result.output + report.read_text()
    assert "kkk" not in said
    assert BCRYPT[7:] not in said


def test_a_broken_text_reaches_the_report_as_it_can(run, a_file, tmp_path):
    report = tmp_path / "report.csv"
    file = a_file("people.jsonl", '{"email": "\\ud800"}\n')

    run("person", "import", file, "--report", str(report), status=1)

    assert "\\ud800" in report.read_text()


def test_access_is_mailed_on_demand(ask, a_file):
    file = a_file("people.csv", "email\nanna@example.com\n")

    ask("person", "import", file, "--access", "welcome-link")

    assert ask("person", "show", "anna@example.com")["factors"]["password"] is False


def test_the_report_never_overwrites_the_file(run, a_file):
    file = a_file("people.csv", "email\nanna@example.com\n")

    run("person", "import", file, "--report", file, status=2)
