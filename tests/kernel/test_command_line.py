"""Commands answer people in words and programs in JSON."""

import json
from datetime import UTC, datetime

from kernel.command_line import progress, say_facts, say_json, say_table


def test_json_is_one_document_that_keeps_polish_letters(capsys):
    say_json({"name": "Łucja", "at": datetime(2026, 6, 1, 12, tzinfo=UTC)})

    said = capsys.readouterr().out
    assert json.loads(said) == {"name": "Łucja", "at": "2026-06-01 12:00:00+00:00"}
    assert "Łucja" in said


def test_a_table_has_its_columns_and_leaves_empty_what_is_not_there(capsys):
    say_table(["key", "state"], [("one", "signing"), ("two", None)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["key", "state"]
    assert lines[1].split() == ["one", "signing"]
    assert lines[2].split() == ["two"]


def test_a_long_cell_is_not_cut_for_a_program_that_reads(capsys):
    say_table(["address"], [("https://" + "a" * 300,)])

    assert "a" * 300 in capsys.readouterr().out


def test_facts_stand_one_a_line_in_a_column(capsys):
    say_facts({"client_id": "abc", "secret": None})

    assert capsys.readouterr().out == "client_id  abc\nsecret     \n"


def test_nothing_to_say_is_said_without_complaint(capsys):
    say_facts({})

    assert capsys.readouterr().out == ""


def test_a_bar_writes_nothing_where_there_is_no_terminal(capsys):
    with progress("Importing", total=2) as at:
        at(1)
        at(2)

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_bar_on_a_terminal_goes_to_standard_error(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    with progress("Importing", total=2) as at:
        at(2)

    said = capsys.readouterr()
    assert said.out == ""
    assert "Importing" in said.err


def test_where_nobody_knows_how_much_there_is_a_bar_counts(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    with progress("Sealing", total=None) as at:
        at(1234)

    assert "1,234" in capsys.readouterr().err
