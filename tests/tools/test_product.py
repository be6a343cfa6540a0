"""`make product` finds the tests that carry an id, wherever the mark stands."""

import textwrap

import pytest

from tools import product


@pytest.fixture
def tests(tmp_path):
    folder = tmp_path / "tests"
    folder.mkdir()
    return folder


def write(folder, text):
    (folder / "test_it.py").write_text(textwrap.dedent(text))


def test_a_mark_at_a_test_is_found(tests):
    write(
        tests,
        """
        @pytest.mark.product("ID-1", "ID-2")
        def test_one(): ...

        def test_other(): ...
        """,
    )

    assert product.carriers("product", tests) == {
        "ID-1": ["tests/test_it.py::test_one"],
        "ID-2": ["tests/test_it.py::test_one"],
    }


def test_a_mark_of_the_module_is_every_test_s(tests):
    write(
        tests,
        """
        pytestmark = [pytest.mark.product("ID-1")]

        def test_one(): ...
        def test_other(): ...
        """,
    )

    assert len(product.carriers("product", tests)["ID-1"]) == 2


def test_a_mark_of_a_class_is_its_tests_and_kinds_are_kept_apart(tests):
    write(
        tests,
        """
        @pytest.mark.security("2.4")
        class TestIt:
            def test_one(self): ...
            def helper(self): ...
        """,
    )

    assert product.carriers("security", tests) == {"2.4": ["tests/test_it.py::TestIt::test_one"]}
    assert product.carriers("product", tests) == {}


def test_the_list_of_ids_is_read_with_its_words():
    entries = product.entries("product")

    assert entries["ID-5"].startswith("Sign-in takes")
    assert len(entries) == 77
