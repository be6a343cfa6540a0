"""A page with blanks, filled in, reads as one that was rendered for its reader."""

import pytest
from flask import flash, render_template, session
from jinja2 import DictLoader

from kernel.i18n import speaking
from kernel.web.printed import fill_in
from kernel.web.requests import current_request
from tests.kernel.web.a_program import a_program

PAGE = """\
{% extends "kernel/layout/bare.html" %}
{% import "kernel/forms.html" as forms with context %}
{% block card %}
<p title="{{ who }}">{{ who }}{% if more is not none %}: {{ more }}{% endif %}</p>
<form>{{ forms.csrf() }}</form>
{% if open %}<p>{{ _("Main menu") }}</p>{% endif %}
{% endblock %}
"""
HOSTILE = "\"><script>alert('1')</script>&amp;{{ who }}"


@pytest.fixture
def app():
    made = a_program()
    made.jinja_loader.loaders.append(DictLoader({"page.html": PAGE}))
    return made


def words(values, *, is_open=True):
    return {"who": values["who"], "more": values.get("more"), "open": is_open}


def filled_in(values, *, is_open=True):
    return fill_in(
        "page.html", values, lambda them: words(them, is_open=is_open), kind=str(is_open)
    )


@pytest.mark.security("14.1")
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("theme", ["", "light", "dark"])
@pytest.mark.parametrize("more", [{}, {"more": ""}, {"more": HOSTILE}])
def test_a_page_reads_as_if_it_had_been_rendered(app, language, theme, more):
    for who in ("anna@example.com", HOSTILE, "Łucja", ""):
        for is_open in (True, False):
            headers = {"Cookie": f"klucznik_theme={theme}"}
            with app.test_request_context("/form?a=%22&b=1", headers=headers), speaking(language):
                values = {"who": who, **more}
                rendered = render_template("page.html", **words(values, is_open=is_open))

                assert filled_in(values, is_open=is_open) == rendered
                assert filled_in(values, is_open=is_open) == rendered


@pytest.mark.security("6.3")
def test_each_reader_gets_a_form_token_of_their_own(app):
    pages = []
    for _ in range(2):
        with app.test_request_context("/form"):
            pages.append(filled_in({"who": "anna"}))
            assert session["csrf_token"]

    assert pages[0] != pages[1]


def test_nothing_that_a_reader_brought_is_kept(app):
    with app.test_request_context("/form?secret=path"):
        page = filled_in({"who": "anna@example.com"})
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    kept = repr(app.extensions["klucznik.printed"])
    assert "Main menu" in kept or "Menu główne" in kept
    for own in ("anna@example.com", "secret=path", token):
        assert own not in kept


def test_what_is_to_be_said_once_is_said_on_a_page_of_its_own(app):
    with app.test_request_context("/form"):
        filled_in({"who": "anna"})
    with app.test_request_context("/form"):
        flash("Saved.", "success")

        assert "Saved." in filled_in({"who": "anna"})
        assert "Saved." not in filled_in({"who": "anna"})
        assert app.extensions["klucznik.printed"].keys() == {
            ("page.html", "True", "pl", "auto", "who")
        }


def test_the_page_tells_nobody_where_its_reader_comes_from(app):
    for _ in range(2):
        with app.test_request_context("/form"):
            filled_in({"who": "anna"})

            assert current_request().notes.policy.referrer == "no-referrer"


def test_who_works_on_the_templates_sees_each_change(app):
    app.jinja_env.auto_reload = True
    with app.test_request_context("/form"):
        filled_in({"who": "anna"})

    assert app.extensions["klucznik.printed"] == {}
