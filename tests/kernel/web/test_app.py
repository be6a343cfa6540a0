import pytest
from flask import Flask

from kernel.errors import Misconfigured
from kernel.settings import Settings
from kernel.web import create_app, settings_of
from kernel.web.requests import current_request
from tests.kernel.web.a_program import HERE, QuestionForm, a_program, token_of


def test_the_program_knows_its_settings():
    app = a_program(settings_={"threads": 3})

    assert settings_of(app).threads == 3


@pytest.mark.security("5.8")
def test_without_a_secret_nothing_starts():
    with pytest.raises(Misconfigured):
        create_app("kernel", settings=Settings(), public_url=HERE)


def test_a_field_that_is_wrong_says_so_where_it_is():
    client = a_program().test_client()
    token = token_of(client.get("/form").text)

    page = client.post("/form", data={"csrf_token": token, "password": "typed"}).text

    assert 'id="email-error"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="email-error email-help"' in page
    assert "typed" not in page


def test_several_wrong_fields_are_listed_with_links():
    client = a_program().test_client()
    token = token_of(client.get("/form").text)

    page = client.post("/form", data={"csrf_token": token}).text

    assert 'href="#email"' in page
    assert 'href="#password"' in page


def test_fields_help_keyboards_and_password_managers():
    page = a_program().test_client().get("/form").text

    assert 'name="email" type="email"' in page
    assert 'autocomplete="username webauthn"' in page
    assert (
        'name="code" type="text" value="" inputmode="numeric" autocomplete="one-time-code"' in page
    )
    assert QuestionForm.__doc__


@pytest.mark.security("14.1")
def test_what_a_template_forgets_is_an_error_and_not_an_empty_place():
    app = a_program()

    with app.app_context(), pytest.raises(Exception, match="undefined"):
        app.jinja_env.from_string("{{ forgotten }}").render()


@pytest.mark.security("17.2")
def test_a_request_is_logged_by_its_route_and_without_its_query(capsys):
    a_program().test_client().get("/facts?email=anna@example.pl&code=123456")

    logged = capsys.readouterr().out
    assert '"route": "/facts"' in logged
    assert "anna@example.pl" not in logged
    assert "123456" not in logged


@pytest.mark.security("6.9")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_what_was_posted_is_never_posted_on(code):
    response = a_program().test_client().post(f"/elsewhere?code={code}")

    assert (response.status_code, response.location) == (303, "/")


@pytest.mark.security("14.4", "6.9")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", HERE])
@pytest.mark.parametrize("path", ["/", "/form", "/facts", "/api/v1/things", "/nowhere"])
def test_no_other_site_may_read_our_answers(path, origin):
    client = a_program().test_client()
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    for response in (client.get(path, headers=headers), client.options(path, headers=headers)):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.security("14.5")
@pytest.mark.parametrize("path", ["//form", "///form", "/form/", "/Form", "/form;x", "/./form"])
def test_a_page_has_one_address(path):
    client = a_program().test_client()

    # As servers hand it over; the test client would tidy the address up.
    answer = client.get("/form", environ_overrides={"PATH_INFO": path})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/facts"},
        {"path": "/facts", "query_string": "a=%C4%85&b"},
        {"path": "//facts"},
        {"path": "/za\u017c\u00f3\u0142\u0107/%2e"},
        {"path": "/form", "method": "POST"},
        {"path": "/form", "headers": {"Upgrade": "websocket"}},
        {"path": "/facts", "headers": {"Host": "evil.example"}},
        {"path": "/facts", "headers": {"Host": "LOCALHOST:9000"}},
        {"path": "/facts", "environ_overrides": {"SCRIPT_NAME": "/below"}},
    ],
)  # fmt: skip
def test_views_are_looked_up_as_flask_looks_them_up(asked):
    app = a_program()
    with app.test_request_context(**asked):
        request = current_request()

        ours, usual = app.create_url_adapter(request), Flask.create_url_adapter(app, request)

    assert vars(ours) == vars(usual)


def test_links_outside_of_a_request_are_those_of_flask():
    app = a_program()

    assert vars(app.create_url_adapter(None)) == vars(Flask.create_url_adapter(app, None))
