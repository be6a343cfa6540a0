import pytest
from flask import g

from kernel.web import errors
from kernel.web.errors import error_page
from tests.kernel.web.a_program import a_program


@pytest.fixture(scope="module")
def app():
    return a_program()


@pytest.mark.security("17.3")
def test_what_breaks_inside_stays_inside(app, capsys):
    response = app.test_client().get("/broken")

    assert response.status_code == 500
    for word in ("SELECT", "passwords", "s3cret", "RuntimeError", "Traceback", ".py"):
        assert word not in response.text
    assert response.headers["X-Request-ID"] in response.text
    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.security("17.3")
def test_the_log_knows_what_broke_and_under_which_number(app, capsys):
    response = app.test_client().get("/broken")

    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert f'"request_id": "{response.headers["X-Request-ID"]}"' in logged


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/missing", 404), ("/undeclared", 404), ("/limited", 429),
     ("/overloaded", 503), ("/busy", 503), ("/onward", 405), ("/?a=%00", 400)],
)  # fmt: skip
def test_every_refusal_is_a_page_with_its_status_and_a_number_to_quote(app, path, status):
    response = app.test_client().get(path)

    assert response.status_code == status
    assert f'data-status="{status}"' in response.text
    assert response.headers["X-Request-ID"] in response.text


@pytest.mark.security("18.1", "17.3")
def test_who_waited_in_vain_for_the_database_is_told_when_to_ask_again(app):
    response = app.test_client().get("/busy")

    assert int(response.headers["Retry-After"]) >= 1
    assert "passwords" not in response.text


@pytest.mark.security("12.1")
def test_a_view_that_does_not_say_who_may_use_it_can_not_be_used(app):
    assert "secret" not in app.test_client().get("/undeclared").text


@pytest.mark.security("13.6")
def test_missing_and_foreign_give_the_same_page(app):
    client = app.test_client()
    pages = [client.get(path) for path in ("/missing", "/nowhere")]

    for page in pages:
        assert "account 12" not in page.text
    assert "Nie ma takiej strony" in pages[0].text
    assert "Nie ma takiej strony" in pages[1].text


@pytest.mark.parametrize(
    ("language", "title"),
    [("pl", "Nie ma takiej strony"), ("en-GB", "There is no such page"), ("de", "Nie ma takiej")],
)
def test_errors_speak_the_readers_language(app, language, title):
    page = app.test_client().get("/nowhere", headers={"Accept-Language": language})

    assert title in page.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/things", {}),
        ("/api/v1/nowhere", {"Accept": "text/html"}),
        ("/nowhere", {"Accept": "application/json"}),
        ("/nowhere", {"Accept": "application/problem+json, text/html;q=0.5"}),
    ],
)
def test_programs_get_problem_json(app, path, headers):
    response = app.test_client().get(path, headers=headers)

    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == 404
    assert response.json["request_id"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "", "x"])
def test_browsers_get_a_page(app, accept):
    response = app.test_client().get("/nowhere", headers={"Accept": accept})

    assert response.mimetype == "text/html"


@pytest.mark.security("18.1")
@pytest.mark.parametrize(("path", "seconds"), [("/limited", "30"), ("/overloaded", "3")])
def test_who_has_to_wait_is_told_how_long(app, path, seconds):
    assert app.test_client().get(path).headers["Retry-After"] == seconds


@pytest.mark.security("14.5")
@pytest.mark.parametrize("method", ["TRACE", "PUT", "WHATEVER"])
def test_unknown_methods_are_refused(app, method):
    response = app.test_client().open("/", method=method)

    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


@pytest.mark.security("14.5")
@pytest.mark.parametrize("path", ["/FORM", "/form/", "/form;a=b", "/./form/../form/x"])
def test_one_address_has_one_spelling(app, path):
    assert app.test_client().get(path).status_code == 404


@pytest.mark.security("14.5")
def test_headers_do_not_change_the_method(app):
    response = app.test_client().post("/facts", headers={"X-HTTP-Method-Override": "GET"})

    assert response.status_code == 405


def test_a_view_may_say_its_own_reason(app):
    with app.test_request_context():
        response = error_page(
            400,
            title="Unknown application",
            reason="The application is not registered: <b>x</b>.",
            code="invalid_client",
        )

    page = response.get_data(as_text=True)
    assert response.status_code == 400
    assert "not registered: &lt;b&gt;x&lt;/b&gt;." in page
    assert 'data-code="invalid_client"' in page


def test_where_even_the_error_page_breaks_a_plain_one_is_left(app, monkeypatch):
    def breaks(*_, **__):
        raise RuntimeError("no template")

    monkeypatch.setattr(errors, "render_template", breaks)
    response = app.test_client().get("/nowhere")

    assert response.status_code == 404
    assert response.headers["X-Request-ID"] in response.text
    assert "no template" not in response.text


def test_nothing_of_one_request_is_left_for_the_next(app):
    with app.app_context():
        client = app.test_client()
        client.get("/form", headers={"Accept-Language": "en"})
        assert "csrf_token" not in g
        assert "Nie ma takiej strony" in client.get("/nowhere").text
