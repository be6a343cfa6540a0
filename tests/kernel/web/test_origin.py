import pytest

from kernel.errors import Misconfigured
from kernel.web.origin import Origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://id.example.pl", "https://id.example.pl"),
        ("https://id.example.pl:443/path", "https://id.example.pl"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_origin_is_written_as_a_browser_writes_it(url, origin):
    assert str(Origin.of(url)) == origin


@pytest.mark.parametrize(
    "url", ["", "id.example.pl", "ftp://id.example.pl", "https://me@id.example.pl", "http://a:b:c"]
)
def test_what_is_no_web_address_stops_the_start(url):
    with pytest.raises(Misconfigured):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:9000", True),
        ("http://portal.localhost", True),
        ("http://127.0.0.2", True),
        ("http://[::1]:1", True),
        ("https://id.example.pl", False),
        ("https://localhost.example.pl", False),
    ],
)
def test_loopback_is_told_from_the_rest(url, loopback):
    assert Origin.of(url).is_loopback is loopback
