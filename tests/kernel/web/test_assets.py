import gzip
import re

import pytest

from kernel.web.assets import icon, static_url
from tests.kernel.web.a_program import a_program


@pytest.fixture(scope="module")
def app():
    return a_program()


@pytest.fixture(scope="module")
def stylesheet(app):
    with app.test_request_context():
        return static_url("kernel/klucznik.css")


def test_a_file_is_kept_for_a_year_under_the_hash_of_its_content(app, stylesheet):
    response = app.test_client().get(stylesheet)

    assert re.fullmatch(r"/static/[0-9a-f]{16}/kernel/klucznik\.css", stylesheet)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert "Set-Cookie" not in response.headers


def test_an_older_hash_gets_todays_file_for_a_short_time(app, stylesheet):
    response = app.test_client().get("/static/0123456789abcdef/kernel/klucznik.css")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=300"


def test_text_travels_compressed_to_whoever_can_read_it(app, stylesheet):
    client = app.test_client()

    packed = client.get(stylesheet, headers={"Accept-Encoding": "br, gzip"})
    plain = client.get(stylesheet)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize(
    "name",
    [
        "kernel/../settings.py",
        "kernel/%2e%2e/settings.py",
        "kernel/nothing.css",
        "kernel/icons.txt",
        "kernel/vendor/.stamp",
        "idp/x.css",
        "kernel/",
    ],
)
def test_nothing_else_is_served(app, name):
    assert app.test_client().get(f"/static/0/{name}").status_code == 404


def test_the_colours_are_a_stylesheet(app):
    with app.test_request_context():
        url = static_url("kernel/tokens.css")

    assert "--primary: #0f5e6b" in app.test_client().get(url).text


def test_an_icon_is_drawn_in_place_as_decoration_or_with_a_name(app):
    with app.test_request_context():
        assert 'aria-hidden="true"' in icon("key")
        assert 'role="img" aria-label="&lt;Key&gt;"' in icon("key", "<Key>")


@pytest.mark.parametrize("path", ["/favicon.ico", "/robots.txt"])
def test_what_browsers_ask_for_at_the_root_is_there(app, path):
    assert app.test_client().get(path).status_code == 200
