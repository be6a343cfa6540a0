import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.person_import.files import Format, NotReadable, PeopleFile


def rows_of(data, format_=Format.CSV):
    return list(PeopleFile(io.BytesIO(data), format_))


def test_a_row_is_its_fields_under_the_names_of_the_header():
    [row] = rows_of(b"email,given_name\nanna@example.com,Anna\n")

    assert (row.line, row.fields) == (2, {"email": "anna@example.com", "given_name": "Anna"})


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_seen_from_the_header(separator):
    text = separator.join(["email", "given_name"]) + "\n" + separator.join(["a@b.example", "A"])

    assert rows_of(text.encode())[0].fields["given_name"] == "A"


def test_a_byte_order_mark_and_capitals_in_the_header_do_no_harm():
    data = b"\xef\xbb\xbfEmail , GIVEN_NAME\r\nanna@example.com,\xc5\xbbaneta\r\n"

    assert rows_of(data)[0].fields == {"email": "anna@example.com", "given_name": "Żaneta"}


def test_a_cell_with_a_line_break_is_one_row_and_lines_are_counted_on():
    rows = rows_of(b'email,given_name\na@b.example,"A\nB"\n\nc@d.example,C\n')

    assert [(row.line, row.fields["given_name"]) for row in rows] == [(2, "A\nB"), (5, "C")]


def test_a_row_of_another_length_is_a_problem_of_that_row_alone():
    rows = rows_of(b"email,given_name\na@b.example\nc@d.example,C\n")

    assert rows[0].problem == "1 cells under 2 column names"
    assert rows[1].problem is None


def test_columns_that_mean_nothing_here_are_named():
    people = PeopleFile(io.BytesIO(b"email,id\na@b.example,7\n"), Format.CSV)

    assert [row.fields for row in people] == [{"email": "a@b.example"}]
    assert people.ignored == {"id"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there is no header"),
        (b"\n", "there is no header"),
        (b"name,address\n", "no column is called email"),
        (b"email,email\n", "two columns have the same name"),
        ("email\nżółć@example.com\n".encode("iso-8859-2"), "line 2 is not UTF-8"),
        ("email\n".encode("utf-16"), "UTF-16"),
        (b'email\n"' + b"x" * 200_000, "quotation mark"),
        (b"email\n" + b"x" * 1_100_000, "line 2 is longer than a megabyte"),
    ],
)
def test_a_file_that_can_not_be_read_says_where_and_why(data, reason):
    with pytest.raises(NotReadable) as refused:
        rows_of(data)

    assert reason in refused.value.detail


def test_json_lines_are_read_each_for_itself():
    data = b'{"email": "a@b.example", "id": 7}\n\nnot json\n["email"]\n{"email": "c@d.example"}'

    rows = rows_of(data, Format.JSON_LINES)

    assert [(row.line, row.problem) for row in rows] == [
        (1, None),
        (3, "not a JSON object"),
        (4, "not a JSON object"),
        (5, None),
    ]
    assert rows[0].fields == {"email": "a@b.example"}


def test_how_far_a_file_was_read_is_known():
    data = b"email\na@b.example\n"
    people = PeopleFile(io.BytesIO(data), Format.CSV)

    list(people)

    assert (people.bytes_read, people.line) == (len(data), 2)


@given(st.binary(max_size=300), st.sampled_from(Format))
def test_no_bytes_make_the_reader_stumble(data, format_):
    for whole in (data, b"email,given_name\n" + data):
        with suppress(NotReadable):
            rows_of(whole, format_)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_what_json_says_arrives_as_it_was(names):
    data = "\n".join(json.dumps({"email": name}) for name in names).encode()

    assert [row.fields["email"] for row in rows_of(data, Format.JSON_LINES)] == names
