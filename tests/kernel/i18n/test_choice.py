import pytest
from flask import session

from kernel.i18n import acceptable_language, ask_for_language, current_language
from tests.kernel.web.a_program import a_program


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["pl"], "pl"),
        (["en-GB", "pl"], "en"),
        (["de-AT", "pl_PL"], "pl"),
        (["de"], None),
        ([], None),
        (["", "*", "\x00", "PL"], "pl"),
    ],
)
def test_the_first_language_that_we_speak_is_taken(wanted, language):
    assert acceptable_language(wanted) == language


@pytest.mark.parametrize(
    ("person", "cookie", "query", "header", "language"),
    [
        (None, None, "", "", "pl"),
        (None, None, "", "en", "en"),
        (None, None, "", "de, fr", "pl"),
        (None, None, "ui_locales=en", "pl", "en"),
        (None, None, "ui_locales=de+en-US+pl", "", "en"),
        (None, "pl", "ui_locales=en", "en", "pl"),
        ("en", None, "ui_locales=pl", "pl", "en"),
        ("xx", "yy", "ui_locales=zz", "en", "en"),
    ],
)
def test_a_choice_comes_before_a_wish_and_a_wish_before_a_habit(
    person, cookie, query, header, language
):
    app = a_program(person_language=lambda: person)
    headers = {"Accept-Language": header}
    if cookie:
        headers["Cookie"] = f"klucznik_language={cookie}"

    with app.test_request_context(f"/?{query}", headers=headers):
        assert current_language() == language


def test_a_choice_in_this_browser_beats_the_profile_where_the_profile_can_not_be_changed():
    headers = {"Cookie": "klucznik_language=en"}

    with a_program(person_language=lambda: "pl").test_request_context(headers=headers):
        assert current_language() == "en"
    kept = a_program(person_language=lambda: "pl", save_person_language=lambda _: None)
    with kept.test_request_context(headers=headers):
        assert current_language() == "pl"


def test_the_operator_sets_the_language_of_last_resort():
    with a_program(settings_={"default_locale": "en"}).test_request_context():
        assert current_language() == "en"


def test_a_wish_holds_for_the_pages_that_follow_and_is_taken_back_by_the_next_one():
    app = a_program(person_language=lambda: None)
    with app.test_request_context("/", headers={"Accept-Language": "pl"}):
        ask_for_language(["de", "en-GB"])
        wished = current_language()
    with app.test_request_context("/", headers={"Accept-Language": "pl"}):
        session["asked_language"] = "en"
        ask_for_language(["de"])
        forgotten = current_language()

    assert (wished, forgotten) == ("en", "pl")
