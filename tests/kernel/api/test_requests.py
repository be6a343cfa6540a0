"""A request on its way through: each thing that can be wrong with it, in the order of the answers."""

import pytest

from kernel.limits import Window
from tests.kernel.api.folders import Program, how_many, seen

GOOD = {"name": "Umowy"}
NOBODY = "00000000-0000-7000-8000-000000000000"


def test_something_is_made_and_its_address_and_version_are_told(writer):
    made = writer.ask("POST", "/folders", json=GOOD)

    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/folders/{made.json['id']}"
    assert made.headers["ETag"] == '"1"'
    assert made.json["name"] == "Umowy"


def test_nothing_is_answered_where_there_is_nothing_to_say(writer):
    answer = writer.ask("DELETE", f"/folders/{NOBODY}", headers={"If-Match": '"1"'})

    assert answer.status_code == 204
    assert answer.data == b""
    assert "Content-Type" not in answer.headers


@pytest.mark.security("5.7")
def test_no_answer_is_kept_by_anybody(writer):
    for answer in (writer.ask("GET", "/folders"), writer.ask("GET", f"/folders/{NOBODY}")):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.security("7.8")
def test_who_does_not_say_who_they_are_is_told_how(folders_app):
    answer = Program(folders_app.test_client(), None).ask("POST", "/folders", json=GOOD)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="klucznik"'
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "credentials_missing"
    assert how_many() == 0


@pytest.mark.security("12.1")
@pytest.mark.parametrize("sent", [GOOD, {"unknown": 1}, None])
def test_who_may_not_is_refused_whatever_they_sent(folders_app, sent):
    answer = Program(folders_app.test_client(), "reader").ask("POST", "/folders", json=sent)

    assert answer.status_code == 403
    assert answer.json["code"] == "permission_missing"
    assert seen == []


@pytest.mark.security("13.6")
@pytest.mark.parametrize("folder", [NOBODY, "x", NOBODY.upper()[:-1] + "A", "urn:uuid:" + NOBODY])
def test_missing_and_impossible_things_give_the_same_bytes(writer, folder):
    answer = writer.ask("GET", f"/folders/{folder}")

    assert answer.status_code == 404
    assert answer.data == writer.ask("GET", "/folders/99999999-0000-7000-8000-000000000000").data
    assert "no such folder here" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 428, "if_match_missing"),
        ({"If-Match": "3"}, 400, "if_match_unusable"),
        ({"If-Match": "*"}, 400, "if_match_unusable"),
        ({"If-Match": 'W/"3"'}, 400, "if_match_unusable"),
        ({"If-Match": '"2"'}, 412, "version_conflict"),
    ],
)
def test_a_change_names_the_version_that_it_is_about(writer, headers, status, code):
    answer = writer.ask("PATCH", f"/folders/{NOBODY}", json={"name": "A"}, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert seen == []


def test_a_change_holds_what_was_sent_and_nothing_else(writer):
    for sent in ({"name": "A"}, {"note": None}, {}):
        writer.ask("PATCH", f"/folders/{NOBODY}", json=sent, headers={"If-Match": '"3"'})

    assert seen == [{"name": "A"}, {"note": None}, {}]


@pytest.mark.security("12.3", "15.1")
@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"name": "A", "id": 1}, "/id"),
        ({}, "/name"),
        ({"name": 1}, "/name"),
        ({"name": None}, "/name"),
        ({"name": " \t"}, "/name"),
        ({"name": "a\u200bb"}, "/name"),
        ({"name": "x" * 51}, "/name"),
        ({"name": "A", "pages": "3"}, "/pages"),
        ({"name": "A", "pages": 3.0}, "/pages"),
        ({"name": "A", "pages": True}, "/pages"),
        ({"name": "A", "pages": 11}, "/pages"),
        ({"name": "A", "until": 5}, "/until"),
        ({"name": "A", "until": "1700000000"}, "/until"),
        ({"name": "A", "until": "2026-01-01T00:00:00"}, "/until"),
        ({"name": "A", "until": "0001-01-01T00:00:00+23:00"}, "/until"),
        (["A"], ""),
        ("A", ""),
    ],
)
def test_what_is_not_as_described_is_refused_with_its_place(writer, sent, pointer):
    answer = writer.ask("POST", "/folders", json=sent)

    assert answer.status_code == 422
    assert answer.json["code"] == "not_valid"
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
    assert seen == []


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"", "application/json", 400, "malformed_json"),
        (b'{"name": "a", "name": "b"}', "application/json", 400, "malformed_json"),
        (b'{"name": NaN}', "application/json", 400, "malformed_json"),
        (b'{"name": "a\\u0000b"}', "application/json", 400, "malformed_json"),
        (b'{"name": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed_json"),
        (b"[" * 200_000, "application/json", 400, "malformed_json"),
        (b'{"name": "A"}', "text/plain", 415, "not_json"),
        (b"name=A", "application/x-www-form-urlencoded", 415, "not_json"),
        (b'{"name": "A"}', "application/json; charset=utf-8", 201, None),
        (b" " * 1_000_001, "application/json", 413, "request_entity_too_large"),
    ],
)
def test_a_body_is_json_that_means_one_thing(writer, body, kind, status, code):
    answer = writer.ask("POST", "/folders", data=body, content_type=kind)

    assert (answer.status_code, answer.json.get("code")) == (status, code)


@pytest.mark.security("12.3", "15.1")
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("unknown=1", "unknown"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1_0", "limit"),
        ("limit=+5", "limit"),
        ("limit=5.0", "limit"),
        ("limit=1&limit=2", "limit"),
        ("closed=yes", "closed"),
        ("closed=1", "closed"),
        ("q=" + "x" * 11, "q"),
    ],
)
def test_a_query_is_as_described_too(writer, query, parameter):
    answer = writer.ask("GET", f"/folders?{query}")

    assert answer.status_code == 422
    assert [fault["parameter"] for fault in answer.json["errors"]] == [parameter]


def test_where_no_query_is_described_none_is_taken(writer):
    answer = writer.ask("GET", "/shelves/abc?limit=1")

    assert answer.status_code == 422


@pytest.mark.security("13.6")
def test_a_cursor_of_something_else_is_refused(writer):
    answer = writer.ask("GET", "/folders?cursor=AAAA")

    assert (answer.status_code, answer.json["code"]) == (422, "cursor_unusable")


def test_the_next_page_is_one_link_away(writer):
    for name in "abc":
        writer.ask("POST", "/folders", json={"name": name})

    first = writer.ask("GET", "/folders?limit=2&q=x")

    address, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    assert "limit=2&q=x&cursor=" in address
    second = writer.client.get(address.strip("<>"), headers={"Authorization": "writer"})
    assert [each["name"] for each in second.json["items"]] == ["c"]
    assert "Link" not in second.headers


@pytest.mark.security("17.3")
def test_what_a_refusal_says_is_for_everybody_and_its_detail_for_the_log(writer, capsys):
    writer.ask("POST", "/folders", json={"name": "A"})
    answer = writer.ask("POST", "/folders", json={"name": "A"})

    assert answer.json == {
        "type": "http://localhost:9000/api/docs#name_taken",
        "title": "There is a folder of this name",
        "status": 409,
        "code": "name_taken",
    }
    assert "a secret detail" in capsys.readouterr().out


def test_a_refusal_about_one_field_says_which(writer):
    answer = writer.ask("POST", "/folders", json={"name": "bad"})

    assert answer.json["errors"][0]["pointer"] == "/name"


@pytest.mark.security("18.1")
def test_who_comes_while_too_much_goes_on_is_told_when_to_come_again(writer):
    answer = writer.ask("POST", "/folders", json={"name": "busy"})

    assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.security("17.3")
def test_what_breaks_stays_inside(writer):
    answer = writer.ask("POST", "/folders", json={"name": "broken"})

    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "s3cret" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS2"])
def test_a_method_that_a_path_does_not_know_is_refused(writer, method):
    answer = writer.ask(method, "/folders")

    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_what_is_left_is_said_in_every_answer(writer):
    answers = [writer.ask("GET", "/folders"), writer.ask("GET", "/folders?limit=0")]

    assert answers[0].headers["RateLimit-Policy"] == '"caller";q=1000;w=60'
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=999", "r=998"]


@pytest.mark.security("12.7", "18.1")
def test_too_many_requests_are_refused_before_anything_is_done(folders_app, gate, writer):
    gate.windows = [Window("few", limit=2, every=gate.windows[0].every), *gate.windows]
    for name in "ab":
        assert writer.ask("POST", "/folders", json={"name": name}).status_code == 201

    refused = writer.ask("POST", "/folders", json={"name": "c"})

    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert '"few";r=0;' in refused.headers["RateLimit"]
    assert how_many() == 2
    other = Program(folders_app.test_client(), "writer of another")
    assert other.ask("POST", "/folders", json={"name": "d"}).status_code == 201
