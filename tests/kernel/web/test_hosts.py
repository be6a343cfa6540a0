import pytest

from kernel.web.hosts import public_url
from tests.kernel.web.a_program import SECURE, a_program


@pytest.mark.security("3.3")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("id.example.pl", 200),
        ("ID.example.pl", 200),
        ("id.example.pl:443", 200),
        ("evil.example", 400),
        ("id.example.pl.evil.example", 400),
        ("id.example.pl:8080", 400),
        ("", 400),
        ("id.example.pl,evil.example", 400),
        ("id.example.pl@evil.example", 400),
    ],
)
def test_only_our_own_host_is_answered(host, status):
    client = a_program(SECURE).test_client()

    assert client.get("/", headers={"Host": host}).status_code == status


def test_health_answers_by_any_name():
    client = a_program(SECURE).test_client()

    assert client.get("/healthz", headers={"Host": "10.0.0.7:9000"}).status_code == 200


def test_the_operator_may_list_more_names():
    client = a_program(SECURE, known_hosts=["identity.internal"]).test_client()

    assert client.get("/", headers={"Host": "identity.internal"}).status_code == 200


@pytest.mark.security("3.3")
def test_links_are_built_from_the_settings_whatever_the_request_says():
    app = a_program(SECURE)
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }

    with app.test_request_context(headers=headers):
        assert public_url("form", flow="7") == "https://id.example.pl/form?flow=7"
    with app.app_context():
        assert public_url("home") == "https://id.example.pl/"
