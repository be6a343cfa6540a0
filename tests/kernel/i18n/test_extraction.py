import sys
from pathlib import Path

import pytest

from kernel.i18n.catalogs import catalog_path, read_catalog
from kernel.i18n.extraction import missing, texts_of, update

CODE = """\
from kernel.i18n import _, lazy_gettext as lazy, ngettext
title = lazy("Title")
def say(number):
    # i18n: said at the door
    return _("Hello") + ngettext("one", "many", number)
"""
TEMPLATE = '{% trans %}Good day{% endtrans %} {{ _("Bye %(name)s", name=name) }}'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "spoken"
    (folder / "templates" / "page").mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE)
    (folder / "templates" / "page" / "a.html").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("spoken", None)


def test_texts_are_found_in_code_and_in_templates(package):
    found = {message.id for message in texts_of("spoken") if message.id}

    assert found == {"Title", "Hello", ("one", "many"), "Good day", "Bye %(name)s"}


def test_an_update_makes_room_keeps_words_and_drops_what_is_gone(package):
    assert len(update("spoken", "pl")) == 5
    path = catalog_path("spoken", "pl")
    path.write_text(
        path.read_text().replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "Cześć"')
    )
    (package / "__init__.py").write_text(CODE.replace("Title", "Heading"))

    update("spoken", "pl")

    words = read_catalog(path, "pl")
    hello = words.get("Hello")
    assert hello
    assert hello.string == "Cześć"
    assert words.get("Title") is None
    assert words.get("Heading") is not None
    assert "Hello" not in missing("spoken", "pl")
    assert "i18n" not in path.read_text()


def test_an_update_of_what_is_up_to_date_changes_nothing(package):
    update("spoken", "pl")
    before = catalog_path("spoken", "pl").read_text()

    update("spoken", "pl")

    assert catalog_path("spoken", "pl").read_text() == before


def test_without_a_catalog_everything_is_missing(package):
    assert "Hello" in missing("spoken", "pl")
