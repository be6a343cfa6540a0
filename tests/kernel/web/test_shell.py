import pytest
from flask import render_template_string

from kernel.web.shell import (
    Application,
    NavigationItem,
    Page,
    PersonMenu,
    initials,
    page_url,
    tone,
)
from tests.kernel.web.a_program import a_program


@pytest.fixture(scope="module")
def app():
    return a_program()


@pytest.mark.parametrize(
    ("path", "current"), [("/people", True), ("/people/7", True), ("/peoples", False), ("/", False)]
)
def test_an_item_is_current_on_the_pages_of_its_section(app, path, current):
    with app.test_request_context(path):
        assert NavigationItem("People", "/people", section="/people").is_current is current


@pytest.mark.parametrize(
    ("path", "current"),
    [("/security", True), ("/keys", True), ("/keys/add", True), ("/keyring", False), ("/", False)],
)
def test_an_item_is_current_on_pages_that_have_no_line_of_their_own(app, path, current):
    with app.test_request_context(path):
        assert NavigationItem("Security", "/security", also=("/keys",)).is_current is current


def test_without_a_section_an_item_is_current_on_its_own_page_alone(app):
    with app.test_request_context("/people?q=a"):
        assert NavigationItem("People", "/people").is_current
        assert not NavigationItem("Home", "/").is_current


@pytest.mark.parametrize(
    ("page", "first", "last", "count", "previous", "following"),
    [
        (Page(1, 25, 0), 0, 0, 1, False, False),
        (Page(1, 25, 25), 1, 25, 1, False, False),
        (Page(2, 25, 26), 26, 26, 2, True, False),
        (Page(1, 25, 26), 1, 25, 2, False, True),
    ],
)
def test_a_page_of_a_list_knows_where_it_is(page, first, last, count, previous, following):
    assert (page.first, page.last, page.count) == (first, last, count)
    assert (page.has_previous, page.has_next) == (previous, following)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Anna Nowak", "AN"), ("Anna Maria Nowak", "AN"), ("anna.nowak@example.pl", "A"),
     ("", "?"), ("Żaneta", "Ż"), ("@", "?"), ("   ", "?")],
)  # fmt: skip
def test_an_avatar_has_one_or_two_letters(name, letters):
    assert initials(name) == letters


def test_a_name_always_gets_the_same_colour():
    assert [tone("Anna"), tone("Żaneta")] == [4, 5]


def test_a_link_to_another_page_keeps_the_search(app):
    with app.test_request_context("/people?q=a%26b&page=2&sort=name"):
        assert page_url(page=3) == "/people?q=a%26b&page=3&sort=name"
        assert page_url(page=None, q=None) == "/people?sort=name"


def test_the_shell_shows_who_is_signed_in_and_the_way_out(app):
    with app.test_request_context("/"):
        page = render_template_string(
            '{% extends "kernel/layout/application.html" %}{% block title %}Home{% endblock %}',
            application=Application("Portal"),
            navigation=[
                NavigationItem("Home", "/", "home"),
                NavigationItem("Account", items=[NavigationItem("People", "/people")]),
            ],
            person_menu=PersonMenu("<b>Anna</b>", "anna@example.pl", sign_out="/logout"),
        )

    assert 'aria-current="page"' in page
    assert "&lt;b&gt;Anna&lt;/b&gt;" in page
    assert 'method="post" action="/logout"' in page
    assert "<h1>Home</h1>" in page
