"""Files that are written while they are read."""

import pytest
from flask import Flask
from werkzeug.datastructures import MIMEAccept

from kernel.api import Api, Download, downloads, openapi
from kernel.api.downloads import CSV, JSON_LINES, NotInThisForm
from kernel.api.operations import Call
from tests.kernel.api.folders import ANYBODY

NEVER = {JSON_LINES: lambda: iter(()), CSV: lambda: iter(())}


@pytest.fixture
def in_request():
    with Flask("files").test_request_context():
        yield


@pytest.mark.usefixtures("in_request")
def test_a_file_is_written_while_it_is_read_in_pieces_that_are_worth_sending():
    written = []

    def lines():
        for number in range(10):
            written.append(number)
            yield "ż" * 8_192

    answer = downloads.respond(Download("all", {JSON_LINES: lines}), accept=MIMEAccept())
    pieces = answer.iter_encoded()

    assert written == []
    assert len(next(pieces)) == 32_768
    assert written == [0, 1]
    assert b"".join(pieces).decode() == "ż" * 8_192 * 8


@pytest.mark.usefixtures("in_request")
def test_what_can_fail_fails_before_the_answer_begins():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        downloads.respond(Download("all", {JSON_LINES: broken}), accept=MIMEAccept())


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize(
    ("accept", "wanted", "mimetype"),
    [
        ([], None, "application/x-ndjson"),
        ([("*/*", 1)], None, "application/x-ndjson"),
        ([("text/csv", 0.1)], None, "text/csv"),
        ([("text/csv", 0.1), ("application/x-ndjson", 0.5)], None, "application/x-ndjson"),
        ([("text/html", 1)], "csv", "text/csv"),
    ],
)
def test_the_form_is_the_one_that_is_liked_best(accept, wanted, mimetype):
    answer = downloads.respond(Download("all", NEVER, wanted), accept=MIMEAccept(accept))

    assert answer.mimetype == mimetype
    ending = "csv" if wanted or mimetype == "text/csv" else "jsonl"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="all.{ending}"'


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize("accept", [[("text/html", 1)], [("text/csv", 0)]])
def test_a_form_that_there_is_not_is_refused(accept):
    with pytest.raises(NotInThisForm):
        downloads.respond(Download("all", NEVER), accept=MIMEAccept(accept))


def an_api() -> Api:
    return Api("files", prefix="/api/v1", title="Files", version="1", words="")


def test_the_description_names_the_forms():
    api = an_api()

    @api.get("/all", tag="Files", demand=ANYBODY, forms=(JSON_LINES, CSV))
    def take_all(call: Call[str]) -> Download:
        """Take all."""
        return Download("all", NEVER)

    said = openapi.document(api, server="https://id.example", described_at="", schemes={})
    answers = said["paths"]["/all"]["get"]["responses"]

    assert list(answers["200"]["content"]) == ["application/x-ndjson", "text/csv"]
    assert "Content-Disposition" in answers["200"]["headers"]
    assert "not_acceptable" in answers["406"]["content"]["application/problem+json"]["examples"]


def test_an_operation_says_in_which_forms_its_file_comes():
    api = an_api()

    def take_all(call: Call[str]) -> Download:
        return Download("all", NEVER)

    with pytest.raises(TypeError):
        api.get("/all", tag="Files", demand=ANYBODY)(take_all)
