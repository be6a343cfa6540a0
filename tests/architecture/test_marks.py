"""Tests carry ids of lists that exist, and no line of the security list is forgotten."""

import re

import pytest

from tests.architecture.packages import ROOT
from tools import product


@pytest.mark.parametrize("kind", ["product", "security"])
def test_every_mark_names_a_line_that_exists(kind):
    assert set(product.carriers(kind)) - set(product.entries(kind)) == set()


def test_no_id_is_listed_twice():
    for path in product.LISTS.values():
        ids = re.findall(r"^- \*\*([\w.-]+)\*\* ", path.read_text(), re.MULTILINE)

        assert len(ids) == len(set(ids))


@pytest.mark.security("20.1")
def test_every_security_requirement_has_a_test_or_an_answer():
    text = product.LISTS["security"].read_text()
    answered = set(re.findall(r"^- \*\*(\d+\.\d+)\*\* .+\n  Answer: .+$", text, re.MULTILINE))
    forgotten = set(product.entries("security")) - answered - set(product.carriers("security"))

    assert sorted(forgotten, key=product.in_order) == []


def test_every_product_id_of_the_sign_in_has_a_test():
    """What the product does today, and may not lose."""
    promised = {"ID-1", "ID-2", "ID-4", "ID-5", "ID-6", "ID-8", "OP-1", "OP-2", "OPS-1", "OPS-4"}
    promised |= {"OPS-5"}

    assert promised - set(product.carriers("product")) == set()


def test_everything_in_these_folders_is_a_test_that_pytest_finds():
    """A file with a test in it that is not called `test_…` would never run."""
    hidden = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if not path.name.startswith("test_") and re.search(r"^def test_", path.read_text(), re.M)
    ]

    assert hidden == []
