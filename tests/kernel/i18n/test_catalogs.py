from collections import defaultdict

import pytest
from babel.messages.catalog import Catalog, Message

from kernel.i18n import gettext, ngettext, speaking
from kernel.i18n.catalogs import (
    catalog_path,
    package_folder,
    read_catalog,
    translations_for,
    untranslated,
)
from kernel.i18n.extraction import missing
from tests.architecture.packages import PACKAGES
from tests.kernel.web.a_program import a_program

PROGRAMS = [
    ("kernel", "tenants", "consent", "idp"),
    ("kernel", "relying_party", "portal"),
    ("kernel", "relying_party", "crm"),
]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_of_a_package_has_its_polish(package):
    """`python -m kernel.i18n update <package>` lists what is missing and makes room for it."""
    assert missing(package, "pl") == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program[-1])
def test_packages_of_a_program_agree_on_what_a_text_means(program):
    """One text, one meaning in a program; where there are two, `pgettext` says which."""
    said = defaultdict(set)
    for package in program:
        path = catalog_path(package, "pl")
        for message in read_catalog(path, "pl") if path.exists() else []:
            if message.id and message.string:
                said[message.context, message.id].add(message.string)

    assert {text: words for text, words in said.items() if len(words) > 1} == {}


def test_texts_come_from_the_catalog_and_else_stay_as_written():
    polish = translations_for(("kernel",), "pl")

    assert polish.ugettext("Sign out") == "Wyloguj się"
    assert polish.ugettext("No such text") == "No such text"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1 pole wymaga poprawki:"),
        (2, "2 pola wymagają poprawki:"),
        (5, "5 pól wymaga poprawki:"),
        (22, "22 pola wymagają poprawki:"),
    ],
)
def test_polish_has_three_plural_forms(number, words):
    app = a_program()
    with app.test_request_context(), speaking("pl"):
        said = ngettext(
            "%(num)d field needs another look:", "%(num)d fields need another look:", number
        )

    assert said == words


def test_a_worker_speaks_the_language_that_it_is_told():
    with a_program().app_context():
        with speaking("pl"):
            polish = gettext("Sign out")
        with speaking("en"):
            english = gettext("Sign out")

    assert (polish, english) == ("Wyloguj się", "Sign out")


@pytest.mark.parametrize(
    ("string", "flags"), [("", ()), ("Wyloguj", ("fuzzy",)), (("pole", "", "pól"), ())]
)
def test_no_words_doubtful_words_and_half_the_plurals_are_missing(string, flags):
    plural = isinstance(string, tuple)
    text = ("field", "fields") if plural else "Sign out"
    catalog = Catalog(locale="pl")
    catalog.add(text, string, flags=flags)

    assert untranslated([Message(text)], catalog) == [text[0] if plural else text]


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(LookupError, match="no_such_package"):
        package_folder("no_such_package")
