import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.clients import redirect_uris


@pytest.mark.security("6.2")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://app.example/cb#fragment",
        "https://app.example/cb#",
        "http://app.example/cb",
        "https://user@app.example/cb",
        "https://user:password@app.example/cb",
        "https://app.example/a/../b",
        "https://app.example/./b",
        "https://app.example/%2e%2e/b",
        "https://app.example/..",
        "https://app.example\\@evil.example/",
        "https://app.example/c b",
        "https://app.example/c\tb",
        "https://app.example/c\x00b",
        "https://aplikacja.ż/cb",
        "https:///cb",
        "https://app.example:99999/cb",
        "https://[::1/cb",
        "javascript:alert(1)",
        "JavaScript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "com.example.app:/cb",
        "//app.example/cb",
        "/cb",
        "cb",
        "https://app.example/" + "a" * 2_000,
    ],
)
def test_an_address_is_not_registrable(uri):
    assert redirect_uris.why_refuse(uri) is not None


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example",
        "https://app.example:8443/cb?tenant=a&x=%20",
        "http://localhost:9001/callback",
        "http://portal.localhost/callback",
        "http://127.0.0.1:5000/cb",
        "http://[::1]/cb",
        "https://app.example/a..b",
    ],
)
def test_an_address_is_registrable(uri):
    assert redirect_uris.why_refuse(uri) is None


def test_a_native_application_may_have_a_scheme_of_its_own():
    assert redirect_uris.why_refuse("com.example.app:/cb", native=True) is None
    assert redirect_uris.why_refuse("javascript:alert(1)", native=True) is not None
    assert redirect_uris.why_refuse("myapp:/cb", native=True) is not None


@pytest.mark.security("6.2")
@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://APP.example/cb",
        "https://app.example/cb?x=1",
        "https://app.example/cb?",
        "https://app.example:443/cb",
        "https://app.example/%63b",
        "http://127.0.0.1:5000/cb",
    ],
)
def test_nearly_the_same_is_not_the_same(uri):
    registered = ["https://app.example/cb", "http://127.0.0.1/cb"]

    assert not redirect_uris.is_registered(uri, registered)


@pytest.mark.security("6.2")
@pytest.mark.parametrize(
    ("uri", "matches"),
    [
        ("http://127.0.0.1:5000/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]:5000/cb", True),
        ("http://127.0.0.1:0/cb", False),
        ("http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.1:5000/other", False),
        ("http://127.0.0.1:5000/cb?x", False),
        ("http://127.0.0.2:5000/cb", False),
        ("http://localhost:5000/cb", False),
        ("https://127.0.0.1:5000/cb", False),
        ("http://127.0.0.1.evil.example:5000/cb", False),
        ("http://127.0.0.1:5000@evil.example/cb", False),
    ],
)
def test_only_the_port_may_differ_and_only_for_native_applications(uri, matches):
    registered = ["http://127.0.0.1/cb", "http://[::1]/cb"]

    assert redirect_uris.is_registered(uri, registered, native=True) is matches


@given(st.text())
def test_no_text_breaks_the_rules(text):
    redirect_uris.why_refuse(text)
    redirect_uris.why_refuse("https://" + text, native=True)
    assert not redirect_uris.is_registered(text, ["http://127.0.0.1/cb"], native=True)
