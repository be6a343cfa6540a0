import pytest

from idp.access import return_address
from idp.access.return_address import NotAnAddressOfOurs
from idp.clients import service as clients
from tenants.database import db
from tests.idp.provider import an_app

pytestmark = pytest.mark.usefixtures("identity_app")

PANEL = "https://crm.example/panel?tab=1"


def check(url, application=None):
    with db.reading() as session:
        return return_address.check(session, url, application=application)


@pytest.fixture
def app():
    return an_app(redirect_uris=("https://crm.example/callback",))


def test_without_a_place_a_mail_leads_to_the_portal():
    assert return_address.default() == "http://localhost:9001/login"
    assert check(return_address.default()) == return_address.default()


def test_an_application_names_places_of_its_own(app):
    assert check(PANEL, app.id) == PANEL


@pytest.mark.security("15.7")
def test_an_application_does_not_name_places_of_another_one(app):
    other = an_app(client_id="other", redirect_uris=("https://other.example/callback",))

    with pytest.raises(NotAnAddressOfOurs):
        check(PANEL, other.id)


def test_the_operator_names_places_of_any_application(app):
    assert check(PANEL) == PANEL


@pytest.mark.security("15.7")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "/panel",
        "https://evil.example/",
        "https://crm.example.evil.example/",
        "https://crm.example:8443/",
        "http://crm.example/",
        "https://crm.example@evil.example/",
        "https://evil.example\\@crm.example/",
        "https://crm.example/#x",
        "https://crm.example/a b",
        "https://crm.example/\r\nBcc: x",
        "javascript:alert(1)",
        "https://crm.example/" + "a" * 2_000,
    ],
)
def test_everything_else_is_refused(app, url):
    with pytest.raises(NotAnAddressOfOurs):
        check(url)


def test_a_native_application_is_no_place(app):
    native = an_app(
        client_id="native",
        application_type="native",
        redirect_uris=("http://127.0.0.1/callback",),
    )

    with pytest.raises(NotAnAddressOfOurs):
        check("http://127.0.0.1/anything", native.id)


def test_an_address_is_good_only_as_long_as_its_application_is(app, now):
    with db.transaction() as session:
        assert return_address.is_good(session, PANEL)
        clients.disable(session, app.id, now=now)

    with db.reading() as session:
        assert not return_address.is_good(session, PANEL)
