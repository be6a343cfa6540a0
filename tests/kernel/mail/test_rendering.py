from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader, UndefinedError

from kernel.mail import RenderedMail, render_mail
from kernel.settings import Settings
from kernel.web import create_app
from tests.programs import SECRETS

TEMPLATES = {
    "mail/code.subject.txt": "{{ _('Close the menu') }}: {{ name }}\n",
    "mail/code.html": """{% extends "kernel/mail/layout.html" %}
{% import "kernel/mail/parts.html" as parts with context %}
{% block preheader %}{{ name }}{% endblock %}
{% block heading %}{{ name }}{% endblock %}
{% block body %}
{{ parts.paragraph(name) }}{{ parts.code("1234 5678") }}{{ parts.button(link, name) }}
{{ parts.facts([(name, name)]) }}
{% endblock %}
{% block otherwise %}{% if otherwise is defined %}{{ otherwise }}{% endif %}{% endblock %}
{% block why %}Why: {{ name }}{% endblock %}""",
    "mail/code.txt": """{% extends "kernel/mail/layout.txt" %}
{% block heading %}{{ name }}{% endblock %}
{% block body %}
{{ link }}
{% endblock %}
{% block otherwise %}{% if otherwise is defined %}{{ otherwise }}{% endif %}{% endblock %}
{% block why %}Why: {{ name }}{% endblock %}""",
}
LINK = "https://id.example/register/confirm?token=abc&x=1"
MACHINE = "This mail was sent by a machine. Nobody reads answers to it."


@pytest.fixture(autouse=True)
def _app() -> Iterator[Flask]:
    app = create_app(
        "kernel", settings=Settings(**SECRETS, metrics_port=0), public_url="https://id.example"
    )
    assert app.jinja_loader
    app.jinja_loader = ChoiceLoader([app.jinja_loader, DictLoader(TEMPLATES)])
    with app.app_context():
        yield app


def render(locale: str | None = "en", **context) -> RenderedMail:
    return render_mail("code", locale, **{"name": "Anna", "link": LINK, **context})


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(
    ("locale", "subject", "ending"),
    [
        ("en", "Close the menu: Anna", MACHINE),
        (
            "pl",
            "Zamknij menu: Anna",
            "Tę wiadomość wysłał program. Nikt nie czyta odpowiedzi na nią.",
        ),
    ],
)
def test_a_mail_speaks_the_language_of_its_reader(locale, subject, ending):
    mail = render(locale)

    assert mail.subject == subject
    assert mail.text.endswith(ending + "\n")
    assert ending in mail.html
    assert f'<html lang="{locale}">' in mail.html


@pytest.mark.parametrize("locale", [None, "de", "", "../x"])
def test_without_a_language_of_ours_it_is_the_installation_s(locale):
    assert render(locale).subject == "Zamknij menu: Anna"


@pytest.mark.security("15.7")
def test_a_name_is_a_name_in_html_and_itself_in_text():
    name = "<b onload='x()'>O'Neil & \"Sons\"</b>"

    mail = render(name=name)

    assert "<b onload" not in mail.html
    assert "&lt;b onload=" in mail.html
    assert name in mail.text
    assert mail.subject == f"Close the menu: {name}"


@pytest.mark.security("15.7")
def test_a_name_of_several_lines_stays_in_the_subject():
    assert (
        render(name="Anna\r\nBcc: all@example.com").subject
        == "Close the menu: Anna Bcc: all@example.com"
    )


def test_a_link_is_complete_in_both_parts():
    mail = render()

    assert LINK in mail.text
    assert f'href="{LINK.replace("&", "&amp;")}"' in mail.html


def test_what_is_not_said_leaves_no_gap():
    without, with_it = render(), render(otherwise="Not you? Change your password.")

    assert without.text == f"Anna\n\n{LINK}\n\n--\nKlucznik\nWhy: Anna\n{MACHINE}\n"
    assert "Not you? Change your password.\n\n--" in with_it.text
    assert with_it.html.count("Not you?") == 1


def test_a_forgotten_word_is_an_error_and_not_a_hole():
    with pytest.raises(UndefinedError):
        render_mail("code", "en", name="Anna")


class Looker(HTMLParser):
    """Collects what a mail program would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name in ("src", "href", "background", "srcset") or "url(" in (value or ""):
                self.addresses.append((tag, value or ""))


def test_nothing_is_fetched_tracked_or_run():
    looker = Looker()

    looker.feed(render().html)

    assert not {"script", "img", "link", "iframe", "form", "svg"} & looker.tags
    assert set(looker.addresses) == {("a", LINK)}


def test_the_paper_is_one_column_of_560_pixels_without_tables_for_screen_readers():
    html = render().html

    assert 'width="560"' in html
    assert html.count("<table") == html.count('role="presentation"')
