import hashlib

import pytest

from idp.credentials import breached
from idp.credentials.breached import BreachedPasswords, Nothing
from idp.credentials.new_password import why_refuse
from idp.credentials.password import Problem
from kernel.errors import Misconfigured
from tests import programs


@pytest.mark.security("1.4")
def test_listed_passwords_are_found_and_others_are_not(tmp_path):
    source = tmp_path / "list.txt"
    source.write_text("\n".join(f"hasło numer {number}" for number in range(2_000)))

    added = breached.add(source, tmp_path / "filters")

    known = BreachedPasswords(tmp_path / "filters")
    assert (added, known.size) == (2_000, 2_000)
    assert all(known.contains(f"hasło numer {number}") for number in range(2_000))
    assert not any(known.contains(f"inne hasło {number}") for number in range(2_000))


@pytest.mark.security("1.4")
def test_a_list_of_hashes_with_counts_is_read_too(tmp_path):
    source = tmp_path / "hashes.txt"
    digest = hashlib.sha1(b"leaked password", usedforsecurity=False).hexdigest()
    source.write_text(f"{digest.upper()}:37\r\n")

    breached.add(source, tmp_path / "filters")

    known = BreachedPasswords(tmp_path / "filters")
    assert known.contains("leaked password")
    assert known.contains("Leaked PASSWORD")


def test_several_lists_add_up(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"password {name}\n\n")
        breached.add(tmp_path / name, tmp_path / "filters")

    known = BreachedPasswords(tmp_path / "filters")

    assert known.size == 2
    assert known.contains("password one")
    assert known.contains("password two")


def test_bytes_that_are_no_text_do_no_harm(tmp_path):
    (tmp_path / "list").write_bytes(b"\xff\xfe\x00binary\nplain\n")

    assert breached.add(tmp_path / "list", tmp_path / "filters") == 2


def test_an_empty_list_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / "list").write_text("\n\n")

    with pytest.raises(Misconfigured):
        breached.add(tmp_path / "list", tmp_path / "filters")

    assert list((tmp_path / "filters").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100])
def test_a_file_that_is_no_filter_is_named(tmp_path, content):
    (tmp_path / "wrong.filter").write_bytes(content)

    with pytest.raises(Misconfigured, match=r"wrong\.filter"):
        BreachedPasswords(tmp_path)


def test_without_files_nothing_is_listed():
    assert not Nothing().contains("anything")


@pytest.mark.security("1.4")
def test_a_list_that_the_operator_adds_counts_at_once(make_database, tmp_path):
    folder = tmp_path / "filters"
    for _app in programs.identity(make_database, breached_passwords=folder):
        before = why_refuse("trzy zielone lampy", context=[])
        (tmp_path / "list").write_text("trzy zielone lampy\n")
        breached.add(tmp_path / "list", folder)
        after = why_refuse("trzy zielone lampy", context=[])

        assert (before, after) == (None, Problem.LEAKED)
