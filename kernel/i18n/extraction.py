"""Finding the texts of a package, in its Python and in its templates, and bringing its catalog up."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from kernel.i18n.catalogs import catalog_path, package_folder, read_catalog, untranslated

_METHODS = [
    ("**/translations/**", "ignore"),
    ("**/static/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**", "jinja2"),
]
_TEMPLATE_OPTIONS = {"**/templates/**": {"newstyle_gettext": "true", "silent": "false"}}
_FUNCTIONS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_WIDTH = 100


def texts_of(package: str) -> Catalog:
    """Every text that the code and the templates of a package show to people."""
    folder = package_folder(package)
    found = Catalog()
    for file, line, message, comments, context in extract_from_dir(
        str(folder),
        method_map=_METHODS,
        options_map=_TEMPLATE_OPTIONS,
        keywords=_FUNCTIONS,
        comment_tags=("i18n:",),
        strip_comment_tags=True,
        directory_filter=lambda path: not Path(path).name.startswith((".", "__")),
    ):
        found.add(message, locations=[(file, line)], auto_comments=comments, context=context)
    return found


def update(package: str, language: str) -> list[str]:
    """Add new texts to a catalog, drop those that are gone, return what waits for its words.

    Places in the code are not written down: they would change with every line moved.
    """
    path = catalog_path(package, language)
    known = read_catalog(path, language) if path.exists() else Catalog(locale=language)
    merged = Catalog(locale=language, fuzzy=False)
    texts = texts_of(package)
    for text in texts:
        if not text.id:
            continue
        old = known.get(text.id, text.context)
        merged.add(
            text.id,
            old.string if old is not None else "",
            flags=[flag for flag in (old.flags if old is not None else ()) if flag == "fuzzy"],
            auto_comments=text.auto_comments,
            context=text.context,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, merged, width=_WIDTH, omit_header=False, no_location=True, sort_output=True)
    _write_plain_header(path, merged)
    return untranslated(texts, merged)


def missing(package: str, language: str) -> list[str]:
    """The texts of a package that its catalog lacks, or has in doubt."""
    path = catalog_path(package, language)
    known = read_catalog(path, language) if path.exists() else Catalog(locale=language)
    return untranslated(texts_of(package), known)


def _write_plain_header(path: Path, catalog: Catalog) -> None:
    """Replace Babel's header, whose dates would change with every run."""
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {catalog.locale}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n'
    )
    _, _, messages = path.read_text(encoding="utf-8").partition("\n\n")
    path.write_text(f"{header}\n{messages}" if messages else header, encoding="utf-8")
