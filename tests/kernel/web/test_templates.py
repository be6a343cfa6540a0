"""A page that was answered at its compilation reads as one that asks each time."""

import re

import pytest
from flask import render_template, url_for
from jinja2 import DictLoader

from kernel.i18n import speaking
from kernel.web import static_url
from kernel.web.assets import icon
from kernel.web.gallery import create_gallery
from kernel.web.templates import PageTemplates
from tests.kernel.web.a_program import a_program

TEMPLATES = {
    "text.html": '{{ _("Main menu") }}',
    "text.txt": '{{ _("Main menu") }}',
    "markup.html": '{{ _("a < b") }} {{ "a < b" }} {{ _("100 %%") }}',
    "with_value.html": '{{ _("Hello, %(name)s", name=name) }}',
    "own_word.html": '{% set _ = shout %}{{ _("Main menu") }}',
    "own_macro.html": '{% macro icon(name) %}mine{% endmacro %}{{ icon("eye") }}',
    "own_import.html": '{% from "own_macro.html" import icon %}{{ icon("eye") }}',
    "own_module.html": '{% import "own_macro.html" as static_url %}{{ static_url.icon("eye") }}',
    "address.html": '{{ static_url("kernel/klucznik.css") }} {{ url_for("preferences.choose") }}',
    "whole.html": '{{ url_for("preferences.choose", _external=true) }}',
    "argument.html": '{{ url_for("static_files.file", version="v", name=name) }}',
    "icon.html": '{{ icon("eye", _("Light"), 18) }}',
    "base.html": '{{ current_language() }}: {% block inner %}{% endblock %}',
    "child.html": '{% extends "base.html" %}{% block inner %}{{ _("Main menu") }}{% endblock %}',
}  # fmt: skip


@pytest.fixture
def app():
    made = a_program()
    made.jinja_loader = DictLoader(TEMPLATES)
    with made.test_request_context():
        yield made


def test_each_language_has_its_own_words(app):
    words = {}
    for language in ("pl", "en", "pl"):
        with speaking(language):
            words[language] = render_template("text.html")

    assert words == {"pl": "Menu główne", "en": "Main menu"}


def test_what_a_page_extends_speaks_its_language(app):
    with speaking("en"):
        assert render_template("child.html") == "en: Main menu"
    with speaking("pl"):
        assert render_template("child.html") == "pl: Menu główne"


@pytest.mark.security("14.1")
def test_texts_are_trusted_and_values_are_not(app):
    with speaking("en"):
        assert render_template("markup.html") == "a < b a &lt; b 100 %"
        assert render_template("with_value.html", name="<b>") == "Hello, &lt;b&gt;"


def test_a_word_that_a_template_uses_for_itself_is_left_alone(app):
    with speaking("en"):
        assert render_template("own_word.html", shout=str.upper) == "MAIN MENU"
        for name in ("own_macro.html", "own_import.html", "own_module.html"):
            assert render_template(name) == "mine"


def test_addresses_and_icons_are_those_that_a_call_gives(app):
    with speaking("pl"):
        assert render_template("address.html") == (
            f"{static_url('kernel/klucznik.css')} {url_for('preferences.choose')}"
        )
        assert render_template("icon.html") == icon("eye", "Jasny", 18)


def test_an_address_that_depends_on_more_is_asked_for_each_time(app):
    with speaking("pl"):
        assert render_template("whole.html") == "http://localhost:9000/preferences"
        assert render_template("argument.html", name="a/b") == "/static/v/a/b"
        assert render_template("argument.html", name="c") == "/static/v/c"


def test_other_things_than_pages_know_texts_alone(app):
    """A mail names whole addresses, which no page does."""
    mails = app.jinja_env.overlay(autoescape=False)

    with speaking("pl"):
        assert mails.get_template("text.txt").render() == "Menu główne"
        assert mails._in("pl").known == {}
        assert app.jinja_env._in("pl").known != {}


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("path", ["", "list", "empty", "form", "sign-in/email", "sign-in/new"])
def test_every_page_of_the_gallery_is_the_same_as_with_calls(monkeypatch, path, language):
    def page() -> str:
        answer = (
            create_gallery()
            .test_client()
            .get(f"/_gallery/{path}", headers={"Accept-Language": language})
        )
        return re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text)

    answered = page()
    monkeypatch.setattr(PageTemplates, "_parse", super(PageTemplates, PageTemplates)._parse)

    assert page() == answered
