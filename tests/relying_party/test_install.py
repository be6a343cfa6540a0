import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relying_party.install import relying_party_of
from tests import programs

PATHS = [
    "/", "/login", "/callback", "/logout", "/signed-out", "/backchannel-logout", "/applications",
    "/applications/crm/open",
]  # fmt: skip
NAMES = ["state", "code", "iss", "error", "return_to", "logout_token", "csrf_token", "ui_locales"]


def test_a_program_knows_its_relying_party(app, party):
    assert relying_party_of(app) is party


@pytest.mark.security("5.2")
def test_on_https_cookies_belong_to_this_very_host(make_database):
    for app in programs.portal(
        make_database, issuer="https://id.example", portal_url="https://portal.example"
    ):
        client = app.test_client()
        response = client.get("/signed-out", base_url="https://portal.example")
        cookie = response.headers["Set-Cookie"]

        assert cookie.startswith("__Host-klucznik_portal_browser=")
        assert "Secure" in cookie


@pytest.mark.security("16.1")
def test_the_programs_that_the_operator_named_may_be_asked(app, party, provider):
    party.outgoing.check(provider.issuer)
    party.outgoing.check("http://localhost:9002/api")


@pytest.fixture(params=["a stranger", "somebody signed in"])
def visitor(request, app, browser):
    """Form tokens are taken for right, so that what lies behind them is tried too."""
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["TESTING"] = False
    if request.param == "somebody signed in":
        browser.sign_in()
    return browser


@pytest.mark.security("20.6", "15.1")
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    name=st.sampled_from(NAMES),
    value=st.binary(max_size=200),
    in_form=st.booleans(),
)
def test_arbitrary_bytes_break_nothing(visitor, path, method, name, value, in_form):
    pair = name.encode() + b"=" + value
    response = visitor.client.open(
        path,
        method=method,
        base_url=visitor.base,
        query_string="" if in_form else pair.decode("latin-1"),
        data=pair if in_form and method in {"POST", "PUT"} else None,
        content_type="application/x-www-form-urlencoded",
    )

    assert response.status_code < 500
