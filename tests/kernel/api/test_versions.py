import pytest

from kernel.api import versions
from kernel.api.problems import BadVersion, VersionMissing


def test_what_an_answer_says_is_what_a_change_names():
    assert versions.expected(versions.etag(41)) == 41


@pytest.mark.parametrize("text", ["", "3", '"0"', '"03"', '"3", "4"', 'W/"3"', "*", '"x"', '"²"'])
def test_what_is_none_of_our_versions_is_refused(text):
    with pytest.raises(BadVersion):
        versions.expected(text)


def test_none_at_all_is_another_problem():
    with pytest.raises(VersionMissing):
        versions.expected(None)
