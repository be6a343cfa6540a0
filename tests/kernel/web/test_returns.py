from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.web.returns import is_own_path, own_path

HERE = "https://id.example.pl"


@pytest.mark.parametrize("path", ["/", "/account", "/account?tab=a&b=%2F%2F", "/a/b#c"])
def test_own_paths_are_kept(path):
    assert own_path(path) == path


@pytest.mark.security("11.3")
@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "account",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\x00b",
        "/ż",
        "/" + "a" * 3000,
    ],
)
def test_what_could_lead_elsewhere_becomes_the_beginning(path):
    assert own_path(path) == "/"


@pytest.mark.security("11.3")
@given(st.text(alphabet="/\\.:@?#%ae\t\n\r \x00[]", max_size=12))
def test_no_path_that_is_let_through_leaves_this_origin(path):
    if is_own_path(path):
        arrived = urlsplit(urljoin(f"{HERE}/form", path))
        assert (arrived.scheme, arrived.netloc) == ("https", "id.example.pl")
