"""Catalogs: `<package>/translations/<language>/LC_MESSAGES/messages.po`, read as they are.

No compiled file is committed or built: reading the text costs some milliseconds at the start.
"""

import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

SOURCE_LANGUAGE = "en"


class Catalogs(Domain):  # type: ignore[misc]
    """The texts of several packages as one, for Flask-Babel."""

    def __init__(self, packages: Sequence[str]) -> None:
        super().__init__(translation_directories=[])
        self._packages = tuple(packages)

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        language = locale.language if locale else SOURCE_LANGUAGE
        return translations_for(self._packages, language)


@cache
def translations_for(packages: tuple[str, ...], language: str) -> NullTranslations:
    """All texts of these packages in one language; what is missing stays English."""
    merged = Catalog(locale=language)
    for package in packages:
        path = catalog_path(package, language)
        if path.exists():
            for message in read_catalog(path, language):
                if message.id and not message.fuzzy:
                    merged.add(message.id, message.string, context=message.context)
    return compiled(merged)


def compiled(catalog: Catalog) -> Translations:
    """A catalog in the form that gettext looks things up in."""
    binary = BytesIO()
    write_mo(binary, catalog)
    binary.seek(0)
    return Translations(binary)


def package_folder(package: str) -> Path:
    """Where a package's files are."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise LookupError(f"no package {package!r}")
    return Path(next(iter(found.submodule_search_locations)))


def catalog_path(package: str, language: str) -> Path:
    """The catalog of a package in a language."""
    return package_folder(package) / "translations" / language / "LC_MESSAGES" / "messages.po"


def read_catalog(path: Path, language: str) -> Catalog:
    """Read one catalog."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def untranslated(messages: Iterable[Message], catalog: Catalog) -> list[str]:
    """The texts that `catalog` lacks, has fuzzy, or not in all plural forms."""
    missing = []
    for message in messages:
        if not message.id:
            continue
        known = catalog.get(message.id, message.context)
        words = known.string if known is not None else ""
        forms = list(words) if isinstance(words, list | tuple) else [words]
        wanted = catalog.num_plurals if message.pluralizable else 1
        if known is None or known.fuzzy or len(forms) < wanted or not all(forms):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing
