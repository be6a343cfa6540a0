"""The page of an API, for people."""

import pytest


@pytest.fixture
def page(folders_app):
    return folders_app.test_client().get("/api/docs")


def test_everything_that_can_be_done_stands_on_the_page(page):
    for words in ("Create a folder.", "Needs folders:write.", "/api/v1/folders/{folder}", "Umowy"):
        assert words in page.text
    assert 'id="name_taken"' in page.text


@pytest.mark.security("14.2")
def test_the_page_needs_nothing_from_elsewhere(page):
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for inside in ("<style", " style=", "onclick", 'src="http', 'href="//'):
        assert inside not in page.text


def test_the_document_is_beside_it(folders_app):
    answer = folders_app.test_client().get("/api/openapi.json")

    assert answer.mimetype == "application/json"
    assert answer.json["info"]["title"] == "Folders"
    assert answer.json["externalDocs"]["url"] == "http://localhost:9000/api/docs"
