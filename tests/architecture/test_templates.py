"""Templates: one path, one page; nothing inline; nothing unescaped."""

import re
from collections import Counter

import pytest

from tests.architecture.packages import PACKAGES, ROOT, templates
from tools.assets import icon_names

PAGES = [path for path in templates() if path.suffix == ".html"]
# A mail is read without our stylesheet, so mails alone may carry style attributes.
WEB_PAGES = [path for path in PAGES if "mail" not in path.parts]


def inside(path) -> str:
    return str(path).partition("/templates/")[2]


def test_no_template_path_occurs_twice():
    """Flask looks a template up by path alone and silently takes the first."""
    counted = Counter(inside(path) for path in templates())

    assert [path for path, times in counted.items() if times > 1] == []


def test_a_mounted_package_keeps_its_templates_under_its_own_name():
    for package in ("kernel", "tenants", "consent", "relying_party"):
        outside = [
            str(path)
            for path in templates()
            if path.parts[0] == package and not inside(path).startswith((f"{package}/", "mail/"))
        ]

        assert outside == []


def test_every_template_is_used():
    """A page that nothing renders is a page that nobody keeps right."""
    text = "\n".join(
        path.read_text()
        for package in PACKAGES
        for pattern in ("*.py", "*.html", "*.txt")
        for path in (ROOT / package).rglob(pattern)
    )

    unused = []
    for path in templates():
        name = inside(path)
        mail = re.sub(r"\.(subject\.txt|txt|html)$", "", name).removeprefix("mail/")
        folder = name.rpartition("/")[0]
        if f'"{folder}/" ~ ' in text:
            continue
        if f'"{name}"' not in text and f"'{name}'" not in text and f'"{mail}"' not in text:
            unused.append(str(path))

    assert unused == []


def test_every_icon_that_is_listed_is_used_and_every_used_one_listed():
    """One that is not listed would be drawn as nothing at all."""
    text = "\n".join(
        path.read_text()
        for package in PACKAGES
        for pattern in ("*.py", "*.html")
        for path in (ROOT / package).rglob(pattern)
    )
    listed = set(icon_names())

    assert {name for name in listed if not re.search(rf"[\"']{name}[\"']", text)} == set()
    assert set(re.findall(r"\bicon\(\"([a-z0-9-]+)\"", text)) - listed == set()


@pytest.mark.security("14.1")
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_nothing_is_marked_safe_and_escaping_stays_on(page):
    text = (ROOT / page).read_text()

    assert not re.search(r"\|\s*safe\b|autoescape\s+false", text)


@pytest.mark.security("14.2")
@pytest.mark.parametrize("page", WEB_PAGES, ids=str)
def test_nothing_is_inline(page):
    text = (ROOT / page).read_text()

    assert not re.search(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc\s*=)(?![^>]*type=\"application/json\")[^>]*>", text)


@pytest.mark.security("14.2")
@pytest.mark.parametrize("page", WEB_PAGES, ids=str)
def test_assets_come_from_us(page):
    text = (ROOT / page).read_text()

    assert not re.search(r"<(script|img|link|iframe|use|source)\b[^>]*(src|href)=\"https?:", text)
